// Packages (instanced) and solder (not instanced), to clip space.
uniform mat4 clip;
uniform sampler2D emissivities;     // (M, 1), by material
uniform float smoothest;            // square of the perceptual roughness of healthy solder
uniform float dull;                 // emissivity that a unit of further roughness (alpha) adds
in vec3 in_position;
in vec3 in_normal;
in uvec2 in_surface;                // material, part
in uint in_instance;
#ifdef SOUP
in float in_roughness;
#else
in vec4 in_row0;
in vec4 in_row1;
in vec4 in_row2;
#endif
flat out uint tag;
flat out float emissivity;
out vec3 normal;

void main() {
    tag = in_instance | (in_surface.y << 28);
    emissivity = texelFetch(emissivities, ivec2(int(in_surface.x), 0), 0).r;
#ifdef SOUP
    emissivity += dull * max(in_roughness * in_roughness - smoothest, 0.0);
    normal = in_normal;
    gl_Position = clip * vec4(in_position, 1.0);
#else
    vec4 local = vec4(in_position, 1.0);
    normal = vec3(dot(in_row0.xyz, in_normal), dot(in_row1.xyz, in_normal), dot(in_row2.xyz, in_normal));
    gl_Position = clip * vec4(dot(in_row0, local), dot(in_row1, local), dot(in_row2, local), 1.0);
#endif
}
