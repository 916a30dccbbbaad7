uniform mat3 to_camera;
uniform sampler2D markings;
uniform float mark_contrast;
in vec3 point;
in vec3 normal;
flat in vec4 base;
flat in float roughness;
flat in uint tag;
#ifndef SOUP
in vec2 mark_at;
flat in vec4 mark_uv;
#endif
layout(location = 0) out vec4 out_color;
layout(location = 1) out uint out_tag;
layout(location = 2) out vec3 out_normal;

void main() {
    vec3 n = normalize(normal);
    vec3 diffuse = base.rgb * (1.0 - base.a);
    vec3 f0 = mix(vec3(0.04), base.rgb, base.a);
#ifndef SOUP
    vec2 at = clamp(mark_at, 0.0, 1.0);
    float inside = (mark_uv.z > 0.0 && at == mark_at) ? 1.0 : 0.0;
    float ink = texture(markings, mark_uv.xy + at * mark_uv.zw).r * inside * mark_contrast;
    vec3 tone = dot(base.rgb, vec3(0.2126, 0.7152, 0.0722)) < 0.25 ? base.rgb + vec3(0.42) : base.rgb * 0.12;
    diffuse = mix(diffuse, tone, ink * (1.0 - base.a));
    f0 = mix(f0, f0 * 0.3, ink * base.a);
#endif
    out_color = vec4(radiance(point, n, n, diffuse, f0, roughness), 1.0);
    out_tag = tag | facet(n);
    out_normal = to_camera * n;
}
