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
uniform sampler2D fields;           // three texels a thing: mean and gradient; middle and rise; reach
uniform int fields_width;           // things in a row
flat out uint tag;
flat out float emissivity;
flat out vec4 mean;
flat out vec4 middle;
flat out vec3 limits;               // see radiant_part_frag
out vec3 point;
out vec3 normal;
out float under;

void main() {
    tag = in_instance | (in_surface.y << 28);
    emissivity = texelFetch(emissivities, ivec2(int(in_surface.x), 0), 0).r;
#ifdef SOUP
    emissivity += dull * max(in_roughness * in_roughness - smoothest, 0.0);
    point = in_position;
    normal = in_normal;
#else
    vec4 local = vec4(in_position, 1.0);
    normal = vec3(dot(in_row0.xyz, in_normal), dot(in_row1.xyz, in_normal), dot(in_row2.xyz, in_normal));
    point = vec3(dot(in_row0, local), dot(in_row1, local), dot(in_row2, local));
#endif
    ivec2 at = ivec2(3 * (int(in_instance) % fields_width), int(in_instance) / fields_width);
    mean = texelFetch(fields, at, 0);
    middle = texelFetch(fields, at + ivec2(1, 0), 0);
    float reach = at.y < textureSize(fields, 0).y ? texelFetch(fields, at + ivec2(2, 0), 0).r : 0.0;
    limits = reach > 0.0 ? vec3(length(mean.yzw) * reach, 1.0 / (reach * reach), 1.0) : vec3(0.0);
    under = board_band(point.xy);
    gl_Position = clip * vec4(point, 1.0);
}
