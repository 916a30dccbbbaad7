// Signed depth, as length along the ray: out of a body minus into it is the way inside.
uniform vec3 slope;                 // of rays per pixel from the middle of the picture, and the middle's pixels times that; 0 where they are parallel
in float far;                       // [m] along the view axis, from the focus plane: small numbers are exact numbers
flat in float corner;               // the same of one of the triangle's corners
flat in vec4 amount;
flat in float reach;                // [m] no triangle of the body is larger
layout(location = 0) out vec4 out_path;

void main() {
    // what is interpolated over a wall seen edge on may lie far outside of it
    float here = clamp(far, corner - reach, corner + reach);
    vec2 aside = gl_FragCoord.xy * slope.x - slope.yz;
    here *= sqrt(1.0 + dot(aside, aside));
    out_path = amount * (gl_FrontFacing ? -here : here);
}
