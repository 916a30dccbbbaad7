// The board in one go: laminate as a box, copper layers as sheets: where the ray crosses each layer's height, its coverage there, and the way through its thickness.
uniform vec4 eye;                   // source and 1, or the direction against parallel rays and 0
uniform vec3 corner;                // the first pixel's outer corner in the focus plane
uniform vec3 right;                 // one pixel to the right [m]
uniform vec3 down;                  // one pixel down [m]
uniform vec4 copper;                // copper instead of laminate
uniform vec4 laminate;
uniform vec4 box;                   // of laminate: x0, y0, x1, y1 [m]; nothing where x1 < x0
uniform float thickness;            // [m] of it
uniform sampler2D artwork;          // front copper in R
uniform vec4 artwork_map;
uniform float front;                // [m] thickness of the front copper
#if LAYERS > 0
uniform sampler2D buried[(LAYERS + 3) / 4];         // layers below, four in a texture
uniform vec4 buried_map;
uniform vec2 layer[LAYERS];         // height of the middle, thickness [m]
#endif
layout(location = 0) out vec4 out_path;

// 1 on the board's rectangle, 0 beside it: textures repeat, which is a third cheaper than to clamp
float inside(vec2 uv) { return float(uv == clamp(uv, 0.0, 1.0)); }

void main() {
    vec3 point = corner + right * gl_FragCoord.x + down * gl_FragCoord.y;
    vec3 along = eye.w > 0.5 ? point - eye.xyz : -eye.xyz;
    along /= -along.z;                                  // one metre down
    vec3 at = point + along * (point.z + 0.5 * front);
    vec2 uv = (at.xy - artwork_map.xy) * artwork_map.zw;
    float metal = front * texture(artwork, uv).r * inside(uv);
#if LAYERS > 0
    for (int i = 0; i < LAYERS; i++) {                  // unrolled: a count that is a uniform makes this ten times slower
        at = point + along * (point.z - layer[i].x);
        uv = (at.xy - buried_map.xy) * buried_map.zw;
        metal += layer[i].y * texture(buried[i / 4], uv)[i % 4] * inside(uv);
    }
#endif
#ifdef WITHIN
    float inner = thickness;                            // no ray of these pixels comes near a side of the box
#else
    // metres down at which the ray enters and leaves the box
    at = point + along * point.z;
    vec2 flat_ = mix(along.xy, vec2(1e-9), lessThan(abs(along.xy), vec2(1e-9)));
    vec2 one = (box.xy - at.xy) / flat_, two = (box.zw - at.xy) / flat_;
    vec2 low = min(one, two), high = max(one, two);
    float inner = min(thickness, min(high.x, high.y)) - max(0.0, max(low.x, low.y));
    inner = box.z > box.x ? max(inner, 0.0) : 0.0;
#endif
    out_path = (copper * metal + laminate * inner) * length(along);
}
