// What is seen of packages and solder, to be given its radiance later: small triangles cost a shader run per touched block of pixels.
flat in uint tag;
flat in float emissivity;
in vec3 normal;
layout(location = 0) out uvec4 out_surface;
layout(location = 1) out uint out_tag;

void main() {
    vec3 n = normalize(normal);
    out_surface = uvec4(packSnorm2x16(n.xy), n.z < 0.0 ? 1u : 0u, floatBitsToUint(emissivity), floatBitsToUint(gl_FragCoord.z));
    out_tag = tag;
}
