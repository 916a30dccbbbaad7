// A coarse code of a direction, for finding creases: bits 22 to 27 of a tag. Level is inside a bin, not on its border.
uint facet(vec3 n) {
    uvec2 bin = uvec2(clamp(n.xy * 3.5 + 3.75, 0.0, 7.0));
    return (bin.x | (bin.y << 3)) << 22;
}
