// Radiance of what radiant_part_frag has found: parts and solder at their own temperatures (scenes/heat.py, TemperatureField).
uniform usampler2D surface;
uniform usampler2D tags;
uniform mat4 unproject;             // window (pixels, depth 0..1) to board
uniform sampler2D fields;           // three texels a thing: mean and gradient; middle and rise; reach
uniform int fields_width;           // things in a row
layout(location = 0) out float out_radiance;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    uvec4 found = texelFetch(surface, pixel, 0);
    vec4 place = unproject * vec4(vec2(pixel) + 0.5, uintBitsToFloat(found.w), 1.0);
    vec3 point = place.xyz / place.w;
    vec2 slope = unpackSnorm2x16(found.x);
    float up = sqrt(max(1.0 - dot(slope, slope), 0.0));

    int thing = int(texelFetch(tags, pixel, 0).r & 0x3FFFFFu);
    ivec2 at = ivec2(3 * (thing % fields_width), thing / fields_width);
    float reach = at.y < textureSize(fields, 0).y ? texelFetch(fields, at + ivec2(2, 0), 0).r : 0.0;
    float black = board_band(point.xy);
    if (reach > 0.0) {
        vec4 mean = texelFetch(fields, at, 0), middle = texelFetch(fields, at + ivec2(1, 0), 0);
        vec3 away = point - middle.xyz;
        float most = length(mean.yzw) * reach;
        black = band(mean.x + clamp(dot(away, mean.yzw), -most, most)
                     + middle.w * max(1.0 - dot(away, away) / (reach * reach), 0.0));
    }
    out_radiance = leaving(uintBitsToFloat(found.z), black, point, vec3(slope, found.y != 0u ? -up : up));
}
