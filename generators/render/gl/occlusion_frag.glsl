// Share of the sky that stays visible, from the mean height around a point at growing radii.
uniform sampler2D heights;          // [m], with mipmaps
uniform float texel;                // [m] of level 0
in vec2 uv;
layout(location = 0) out float out_sky;

void main() {
    float z = textureLod(heights, uv, 0.0).r;
    float sky = 1.0;
    float radius = 60e-6;
    for (int ring = 0; ring < 5; ring++) {
        float rise = max(textureLod(heights, uv, log2(1.5 * radius / texel)).r - z, 0.0);
        float slope = rise / radius;
        sky *= 1.0 - 0.36 * slope / (slope + 1.0);
        radius *= 2.0;
    }
    out_sky = sky;
}
