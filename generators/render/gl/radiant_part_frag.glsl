// Parts and solder at their own temperatures (scenes/heat.py, TemperatureField).
flat in uint tag;
layout(location = 0) out float out_radiance;
layout(location = 1) out uint out_tag;
#ifdef SOUP
in float radiance;

void main() {
    out_tag = tag;
    out_radiance = radiance;
}
#else
uniform sampler2D fields;           // three texels a thing: mean and gradient; middle and rise; reach
uniform int fields_width;           // things in a row
in vec3 point;
in vec3 normal;
flat in float emissivity;

void main() {
    int thing = int(tag & 0x3FFFFFu);
    ivec2 at = ivec2(3 * (thing % fields_width), thing / fields_width);
    float reach = at.y < textureSize(fields, 0).y ? texelFetch(fields, at + ivec2(2, 0), 0).r : 0.0;
    float black;
    if (reach > 0.0) {
        vec4 mean = texelFetch(fields, at, 0), middle = texelFetch(fields, at + ivec2(1, 0), 0);
        vec3 away = point - middle.xyz;
        float most = length(mean.yzw) * reach;
        black = band(mean.x + clamp(dot(away, mean.yzw), -most, most)
                     + middle.w * max(1.0 - dot(away, away) / (reach * reach), 0.0));
    } else {
        black = board_band(point.xy);
    }
    out_tag = tag;
    out_radiance = leaving(emissivity, black, point, normalize(normal));
}
#endif
