// Light on what part_frag has found.
uniform usampler2D surface;
uniform mat4 unproject;             // window (pixels, depth 0..1) to board
uniform float mark_contrast;
#ifdef LISTED
uniform usampler2D listed;          // flat indices of pixels, to be lit side by side
#endif
layout(location = 0) out uint out_color;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
#ifdef LISTED
    int at = int(texelFetch(listed, pixel, 0).r), width = textureSize(surface, 0).x;
    pixel = ivec2(at % width, at / width);
#endif
    uvec4 found = texelFetch(surface, pixel, 0);
    vec4 place = unproject * vec4(vec2(pixel) + 0.5, uintBitsToFloat(found.w), 1.0);
    vec3 point = place.xyz / place.w;
    vec2 slope = unpackSnorm2x16(found.x);
    float up = sqrt(max(1.0 - dot(slope, slope), 0.0));
    vec3 n = vec3(slope, (found.y >> 31) != 0u ? -up : up);
    vec3 root = vec3((found.y >> 20) & 1023u, (found.y >> 10) & 1023u, found.y & 1023u) / 1023.0;
    vec3 base = root * root;
    vec4 rest = unpackUnorm4x8(found.z);       // metallic, roughness, ink

    vec3 diffuse = base * (1.0 - rest.x);
    vec3 f0 = mix(vec3(0.04), base, rest.x);
    float ink = rest.z * mark_contrast;
    vec3 tone = dot(base, vec3(0.2126, 0.7152, 0.0722)) < 0.25 ? base + vec3(0.42) : base * 0.12;
    diffuse = mix(diffuse, tone, ink * (1.0 - rest.x));
    f0 = mix(f0, f0 * 0.3, ink * rest.x);
    out_color = packed_color(radiance(point, n, n, diffuse, f0, rest.y));
}
