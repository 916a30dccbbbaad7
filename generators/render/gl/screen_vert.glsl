uniform float screen_depth;         // window depth, 0 to 1
out vec2 uv;
void main() {
    vec2 p = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;
    uv = p * 0.5 + 0.5;
    gl_Position = vec4(p, 2.0 * screen_depth - 1.0, 1.0);
}
