// The slab, or a film on it.
uniform mat4 clip;
in vec3 in_position;
in vec3 in_normal;
#ifdef FILM
in vec4 in_film;                    // colour and opacity
in vec4 in_relief;                  // fade 0..1 from the outline inwards, roughness, height [m], angle across [rad]
in uint in_tag;
flat out vec4 film;
out float fade;
flat out vec2 groove;               // roughness, height
flat out vec2 across;
flat out uint tag;
#endif
out vec3 point;
out vec3 normal;

void main() {
    point = in_position;
    normal = in_normal;
#ifdef FILM
    film = in_film;
    fade = in_relief.x;
    groove = in_relief.yz;
    across = vec2(cos(in_relief.w), sin(in_relief.w));
    tag = in_tag;
#endif
    gl_Position = clip * vec4(point, 1.0);
}
