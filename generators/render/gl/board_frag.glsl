// Artwork under lacquer: what a bare board looks like, and a film over it.
uniform mat3 to_camera;
uniform sampler2D artwork;          // R copper, G mask opening, B silkscreen, A laminate
uniform vec4 artwork_map;           // uv = (xy - map.xy) * map.zw
uniform vec3 mask_color;
uniform vec3 mask_copper_color;
uniform vec3 silk_color;
uniform vec3 laminate_color;
uniform vec3 finish_color;
uniform vec3 background_color;
uniform float mask_roughness;
uniform float finish_roughness;
uniform float step_height;          // [m] of the copper under the lacquer
in vec3 point;
in vec3 normal;
#ifdef FILM
flat in vec4 film;
in float fade;
flat in vec2 groove;                // roughness, height of the film [m]: below 0 for a groove
flat in vec2 across;                // unit, across the groove
flat in uint tag;
#endif
layout(location = 0) out uint out_color;
layout(location = 1) out uint out_tag;
layout(location = 2) out vec3 out_normal;

void main() {
    vec3 face = normalize(normal);
    bool top = face.z > 0.5;
    vec4 art = texture(artwork, (point.xy - artwork_map.xy) * artwork_map.zw);
    if (top && art.a < 0.5) discard;
    float copper = top ? art.r : 0.0;
    float open = top ? art.g : (abs(face.z) > 0.5 ? 0.0 : 1.0);
    float silk = top ? art.b * (1.0 - open) : 0.0;
    float metal = copper * open;

    // the lacquer follows the copper's edge, softened by its own thickness
    float relief = step_height * 0.6 * copper;
#ifdef FILM
    relief += groove.y * fade;
#endif
    vec3 dx = dFdx(point), dy = dFdy(point);
    float area = dx.x * dy.y - dx.y * dy.x;
    vec2 slope = vec2(dFdx(relief) * dy.y - dFdy(relief) * dx.y, dFdy(relief) * dx.x - dFdx(relief) * dy.x);
    slope *= abs(area) > 1e-16 ? (1.0 - 0.5 * silk) / area : 0.0;
    slope /= 1.0 + 1.4 * length(slope);

    vec3 lacquer = mix(mask_color, mask_copper_color, copper);
    vec3 diffuse = mix(mix(lacquer, silk_color, silk), laminate_color, open) * (1.0 - metal);
    float roughness = mix(mix(mask_roughness, 0.6, max(silk, open)), finish_roughness, metal);
    vec3 f0 = mix(vec3(0.04), finish_color, metal);
    float shown = smoothstep(0.4, 0.9, art.a);
    if (top) diffuse *= shown;
#ifdef FILM
    float cover = film.a * fade;
    diffuse = mix(diffuse, film.rgb, cover);
    f0 = mix(f0, vec3(0.04), cover);
    roughness = mix(roughness, groove.x, fade);
    // torn lacquer: fine furrows along the groove
    if (groove.y < 0.0) slope += across * sin(dot(point.xy, across) * 1.2e6) * 0.35 * fade;
    out_tag = tag | facet(face);
#else
    uint part = metal > 0.5 ? 2u : 1u;
    out_tag = 1u | (part << 28) | facet(face);
#endif
    vec3 n = top ? normalize(vec3(-slope, 1.0)) : face;
    out_color = packed_color(radiance(point, face, n, diffuse, f0, roughness));
    out_normal = to_camera * face;
}
