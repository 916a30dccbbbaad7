// Holes and their plating: upright cylinders and slots through the board, one instance each.
uniform mat4 clip;
uniform vec4 depth;                 // board coordinates and 1 to depth before the focus plane [m]
uniform float thickness;            // [m] of the board
in vec3 in_position;                // unit circle, z 0 (top) or -1; x decides which end of a slot
in vec2 in_center;                  // [m]
in float in_radius;                 // [m]
in vec2 in_half;                    // [m] from a slot's middle to the centre of its end
in vec4 in_amount;
out float far;
flat out float corner;
flat out float reach;
flat out vec4 amount;

void main() {
    float along = length(in_half);
    vec2 turn = along > 0.0 ? in_half / along : vec2(1.0, 0.0);
    vec2 at = in_position.xy * in_radius;
    at = vec2(turn.x * at.x - turn.y * at.y, turn.y * at.x + turn.x * at.y) + (in_position.x >= 0.0 ? in_half : -in_half);
    vec3 point = vec3(in_center + at, in_position.z * thickness);
    amount = in_amount;
    reach = 2.0 * thickness;
    far = corner = dot(depth, vec4(point, 1.0));
    gl_Position = clip * vec4(point, 1.0);
    gl_Position.z = 0.0;
}
