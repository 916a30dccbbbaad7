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
    bool top = normal.z > 0.5;
    vec4 art = texture(artwork, (point.xy - artwork_map.xy) * artwork_map.zw);
    if (top && art.a < 0.5) discard;
    float copper = art.r, open = art.g, silk = art.b * (1.0 - open);
    float emissivity = mix(mix(emits.x, emits.y, silk), mix(emits.z, emits.w, copper), open);
#ifdef FILM
    // torn lacquer is lacquer still: only films change what radiates
    if (groove.y >= 0.0) emissivity = mix(emissivity, film_emissivity, film.a * fade);
    out_tag = tag;
#else
    out_tag = 1u | ((top && copper * open > 0.5) ? 2u << 28 : 1u << 28);
#endif
    float black = board_band(point.xy);
    out_radiance = top ? mix(room, black, emissivity) : black;      // a wall mirrors the board, as warm as itself
}
