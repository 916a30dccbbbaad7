// Packages (instanced) and solder (not instanced), to clip space.
uniform mat4 clip;
uniform sampler2D materials;        // (2, M): base colour and metallic; roughness
uniform float solder_roughness;
uniform vec4 mark_box;              // rectangle of the mark on the mesh: x0, y0, 1/width, 1/height
in vec3 in_position;
in vec3 in_normal;
in uvec2 in_surface;                // material, part
#ifdef SOUP
in uint in_instance;
in float in_roughness;
#else
in vec4 in_row0;
in vec4 in_row1;
in vec4 in_row2;
in uint in_instance;
in vec3 in_tint;
in vec4 in_mark;                    // atlas rectangle: u0, v0, width, height; width 0 for none
out vec2 mark_at;
flat out vec4 mark_uv;
#endif
out vec3 point;
out vec3 normal;
flat out uvec2 paint;               // see part_frag
flat out uint tag;

void main() {
    vec4 base = texelFetch(materials, ivec2(0, int(in_surface.x)), 0);
    float roughness = texelFetch(materials, ivec2(1, int(in_surface.x)), 0).r;
    tag = in_instance | (in_surface.y << 28);
#ifdef SOUP
    point = in_position;
    normal = in_normal;
    roughness = in_roughness >= 0.0 ? in_roughness : solder_roughness;
#else
    vec4 local = vec4(in_position, 1.0);
    point = vec3(dot(in_row0, local), dot(in_row1, local), dot(in_row2, local));
    normal = vec3(dot(in_row0.xyz, in_normal), dot(in_row1.xyz, in_normal), dot(in_row2.xyz, in_normal));
    if (in_surface.y == 3u) base.rgb *= in_tint;
    mark_at = (in_position.xy - mark_box.xy) * mark_box.zw;
    mark_uv = (in_surface.y == 3u && in_normal.z > 0.9) ? in_mark : vec4(0.0);
#endif
    uvec3 root = uvec3(sqrt(clamp(base.rgb, 0.0, 1.0)) * 1023.0 + 0.5);
    paint = uvec2(root.r << 20 | root.g << 10 | root.b, packUnorm4x8(vec4(base.a, roughness, 0.0, 0.0)));
    gl_Position = clip * vec4(point, 1.0);
}
