// Gas bubbles in solder: a cube around each sphere; the fragment knows the chord.
uniform mat4 clip;
uniform vec4 solder;
in vec3 in_position;                // corners of the cube, ±1
in vec3 in_center;                  // [m]
in float in_radius;                 // [m]
out vec3 point;
flat out vec4 amount;
flat out vec4 sphere;

void main() {
    point = in_center + in_position * in_radius;
    amount = -solder;
    sphere = vec4(in_center, in_radius);
    gl_Position = clip * vec4(point, 1.0);
    gl_Position.z = 0.0;
}
