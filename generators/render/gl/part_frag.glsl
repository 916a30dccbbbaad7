// What is seen of packages and solder, to be lit later: small triangles cost a shader run per touched block of pixels.
uniform mat3 to_camera;
uniform sampler2D markings;
in vec3 normal;
#ifdef MARK_BELOW
in vec3 point;
#endif
flat in uvec2 paint;                // square root of the base colour; metallic and roughness
flat in uint tag;
#ifndef SOUP
in vec2 mark_at;
flat in vec4 mark_uv;
#endif
layout(location = 0) out uvec4 out_surface;
layout(location = 1) out uint out_tag;
layout(location = 2) out vec3 out_normal;

void main() {
    vec3 n = normalize(normal);
    uint ink = 0u;
#ifndef SOUP
    vec2 at = clamp(mark_at, 0.0, 1.0);
    float inside = (mark_uv.z > 0.0 && at == mark_at) ? 255.0 : 0.0;
    ink = uint(texture(markings, mark_uv.xy + at * mark_uv.zw).r * inside + 0.5);
#endif
    out_surface = uvec4(packSnorm2x16(n.xy), paint.x | (n.z < 0.0 ? 1u << 31 : 0u), paint.y | ink << 16, floatBitsToUint(gl_FragCoord.z));
    out_tag = tag | facet(n);
#ifdef MARK_BELOW
    if (point.z < -1.0e-6) out_tag = 15u << 28;     // the board is not drawn in this pass; where it is solid it hides this
#endif
    out_normal = to_camera * n;
}
