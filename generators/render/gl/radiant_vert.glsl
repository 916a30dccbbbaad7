// Packages (instanced) and solder (not instanced), to clip space. Solder is finely meshed and of one temperature a joint:
// what it radiates is worked out here, at its corners.
uniform mat4 clip;
uniform sampler2D emissivities;     // (M, 1), by material
uniform float smoothest;            // square of the perceptual roughness of healthy solder
uniform float dull;                 // emissivity that a unit of further roughness (alpha) adds
in vec3 in_position;
in vec3 in_normal;
in uvec2 in_surface;                // material, part
in uint in_instance;
flat out uint tag;
#ifdef SOUP
in float in_roughness;
out float radiance;
#else
in vec4 in_row0;
in vec4 in_row1;
in vec4 in_row2;
out vec3 point;
out vec3 normal;
flat out float emissivity;
#endif
uniform sampler2D fields;           // three texels a thing: mean and gradient; middle and rise; reach
uniform int fields_width;           // things in a row

void main() {
    tag = in_instance | (in_surface.y << 28);
    float own = texelFetch(emissivities, ivec2(int(in_surface.x), 0), 0).r;
#ifdef SOUP
    own += dull * max(in_roughness * in_roughness - smoothest, 0.0);
    ivec2 at = ivec2(3 * (int(in_instance) % fields_width), int(in_instance) / fields_width);
    bool known = at.y < textureSize(fields, 0).y && texelFetch(fields, at + ivec2(2, 0), 0).r > 0.0;
    float black = known ? band(texelFetch(fields, at, 0).r) : board_band(in_position.xy);
    radiance = leaving(own, black, in_position, in_normal);
    gl_Position = clip * vec4(in_position, 1.0);
#else
    vec4 local = vec4(in_position, 1.0);
    point = vec3(dot(in_row0, local), dot(in_row1, local), dot(in_row2, local));
    normal = vec3(dot(in_row0.xyz, in_normal), dot(in_row1.xyz, in_normal), dot(in_row2.xyz, in_normal));
    emissivity = own;
    gl_Position = clip * vec4(point, 1.0);
#endif
}
