// Signed depth: out of a body minus into it is the way inside.
in float far;                       // [m] along the view axis, from the focus plane: small numbers are exact numbers
flat in float corner;               // the same of one of the triangle's corners
flat in vec4 amount;
flat in float reach;                // [m] no triangle of the body is larger
layout(location = 0) out vec4 out_path;

void main() {
    // what is interpolated over a wall seen edge on may lie far outside of it
    float here = clamp(far, corner - reach, corner + reach);
    out_path = amount * (gl_FrontFacing ? -here : here);
}
