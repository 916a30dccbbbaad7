// The laminate.
uniform mat4 clip;
uniform vec4 depth;                 // board coordinates and 1 to depth before the focus plane [m]
uniform vec4 laminate;
in vec3 in_position;
out float far;
flat out float corner;
flat out float reach;
flat out vec4 amount;

void main() {
    vec3 point = in_position;
    amount = laminate;
    reach = 1e3;
    far = corner = dot(depth, vec4(point, 1.0));
    gl_Position = clip * vec4(point, 1.0);
    gl_Position.z = 0.0;
}
