// Heat radiation of surfaces in the camera's band, W/(m2 sr). For every radiant_*.
uniform sampler2D planck;           // (K, 1) band radiance of a black body and of one a step warmer, from planck_map.x in steps of planck_map.y [K]
uniform vec2 planck_map;
uniform sampler2D warm_board;       // band radiance of a black body at the board's temperature, row 0 at the largest y
uniform vec4 warm_map;              // uv = (xy - map.xy) * map.zw
uniform float room;                 // radiance of what is around the unit
uniform vec4 eye;                   // V = normalize(eye.xyz - eye.w * P)

float band(float kelvin) {
    float at = clamp((kelvin - planck_map.x) / planck_map.y, 0.0, float(textureSize(planck, 0).x) - 1.001);
    int i = int(at);
    vec2 ends = texelFetch(planck, ivec2(i, 0), 0).rg;
    return mix(ends.x, ends.y, at - float(i));
}

float board_band(vec2 xy) { return textureLod(warm_board, (xy - warm_map.xy) * warm_map.zw, 0.0).r; }

// What a grey surface sends to the eye. It mirrors the room, or the board under it where the mirrored ray goes down: steep solder does.
float leaving(float emissivity, float black, float under, vec3 point, vec3 n) {
    vec3 view = normalize(eye.xyz - eye.w * point);
    float up = 2.0 * dot(n, view) * n.z - view.z;
    float mirrored = mix(under, room, smoothstep(-0.35, 0.35, up));
    return mix(mirrored, black, emissivity);
}
