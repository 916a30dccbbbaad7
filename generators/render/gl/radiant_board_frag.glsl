// The board, or a film on it. Emissivity follows the artwork; filtered texels mix it by area, as radiances add.
uniform sampler2D artwork;          // R copper, G mask opening, B silkscreen, A laminate
uniform vec4 artwork_map;           // uv = (xy - map.xy) * map.zw
uniform vec4 emits;                 // emissivity of lacquer, silkscreen, laminate, copper finish
uniform float film_emissivity;
in vec3 point;
in vec3 normal;
#ifdef FILM
flat in vec4 film;
in float fade;
flat in vec2 groove;                // roughness, height of the film [m]: below 0 for a groove
flat in uint tag;
#endif
layout(location = 0) out float out_radiance;
layout(location = 1) out uint out_tag;

void main() {
    vec3 face = normalize(normal);
    bool top = face.z > 0.5;
    vec4 art = texture(artwork, (point.xy - artwork_map.xy) * artwork_map.zw);
    if (top && art.a < 0.5) discard;
    float copper = top ? art.r : 0.0;
    float open = top ? art.g : (abs(face.z) > 0.5 ? 0.0 : 1.0);
    float silk = top ? art.b * (1.0 - open) : 0.0;
    float emissivity = mix(mix(emits.x, emits.y, silk), mix(emits.z, emits.w, copper), open);
#ifdef FILM
    // torn lacquer is lacquer still: only films change what radiates
    if (groove.y >= 0.0) emissivity = mix(emissivity, film_emissivity, film.a * fade);
    out_tag = tag;
#else
    out_tag = 1u | ((copper * open > 0.5) ? 2u << 28 : 1u << 28);
#endif
    float black = board_band(point.xy);
    out_radiance = top ? mix(room, black, emissivity) : leaving(emissivity, black, point, face);
}
