// The board alone: solid where the artwork has laminate.
uniform sampler2D artwork;
uniform vec4 artwork_map;
in vec3 point;
in vec3 normal;
layout(location = 0) out uint out_tag;
void main() {
    if (normal.z > 0.5 && texture(artwork, (point.xy - artwork_map.xy) * artwork_map.zw).a < 0.5) discard;
    out_tag = 1u | facet(normalize(normal));
}
