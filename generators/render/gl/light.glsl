// Light on a surface. All radiances are linear and before exposure. Board frame, z up.
uniform sampler2D environment;      // generators/render/lighting.py
uniform vec3 diffuse_cubic[4];      // the same for a diffuser, by powers of 1 - normal.z
uniform sampler2D occlusion;        // share of the sky that is left, over the board plane
uniform vec4 occlusion_map;         // uv = (xy - map.xy) * map.zw
uniform vec4 eye;                   // V = normalize(eye.xyz - eye.w * P)
uniform vec3 gain;                  // exposure and white balance
#if LAMPS > 0
uniform vec3 lamp_direction[LAMPS];
uniform vec3 lamp_irradiance[LAMPS];
uniform mat4 lamp_clip[LAMPS];
uniform sampler2DShadow shadow_0;
#endif
#if LAMPS > 1
uniform sampler2DShadow shadow_1;
#endif
#if LAMPS > 2
uniform sampler2DShadow shadow_2;
#endif
#if LAMPS > 3
uniform sampler2DShadow shadow_3;
#endif

const float COLUMNS = 256.0, ROWS = 17.0;

vec3 reflected(vec3 ray, float roughness) {
    float u = sqrt(max(0.5 - 0.5 * ray.z, 0.0));
    return textureLod(environment, vec2((u * (COLUMNS - 1.0) + 0.5) / COLUMNS, (roughness * (ROWS - 2.0) + 0.5) / ROWS), 0.0).rgb;
}

vec3 diffused(vec3 normal) {
    float c = 1.0 - normal.z;
    return max(diffuse_cubic[0] + c * (diffuse_cubic[1] + c * (diffuse_cubic[2] + c * diffuse_cubic[3])), 0.0);
}

#if LAMPS > 0
float lit(int lamp, vec3 point, vec3 normal) {
    vec4 q = lamp_clip[lamp] * vec4(point + normal * BIAS, 1.0);
    vec3 at = q.xyz * 0.5 + 0.5;
    if (lamp == 0) return texture(shadow_0, at);
#if LAMPS > 1
    if (lamp == 1) return texture(shadow_1, at);
#endif
#if LAMPS > 2
    if (lamp == 2) return texture(shadow_2, at);
#endif
#if LAMPS > 3
    if (lamp == 3) return texture(shadow_3, at);
#endif
    return 1.0;
}
#endif

// Radiance towards the eye. f0: reflectance at normal incidence; roughness: perceptual, alpha = roughness^2.
vec3 radiance(vec3 point, vec3 face, vec3 normal, vec3 diffuse, vec3 f0, float roughness) {
    vec3 view = normalize(eye.xyz - eye.w * point);
    float facing = max(dot(normal, view), 0.02);
    float sky = textureLod(occlusion, (point.xy - occlusion_map.xy) * occlusion_map.zw, 0.0).r;
    float grazing = 1.0 - facing;
    float fresnel = grazing * grazing;
    fresnel = fresnel * fresnel * grazing * (1.0 - roughness);
    vec3 mirror = f0 + (1.0 - f0) * fresnel;
    vec3 ray = 2.0 * dot(normal, view) * normal - view;
    vec3 sum = diffuse * diffused(normal) * sky + mirror * reflected(ray, roughness) * (0.25 + 0.75 * sky);
#if LAMPS > 0
    float alpha = max(roughness * roughness, 0.02);
    float a2 = alpha * alpha;
    for (int lamp = 0; lamp < LAMPS; lamp++) {
        vec3 light = lamp_direction[lamp];
        float cosine = dot(normal, light);
        float shade = lit(lamp, point, face) * clamp(cosine * 50.0, 0.0, 1.0);
        vec3 half_way = normalize(light + view);
        float nh = dot(normal, half_way);
        float spread = nh * nh * (a2 - 1.0) + 1.0;
        float lobe = a2 / (spread * spread);
        float height = max(dot(half_way, light), 0.1);
        vec3 glint = mirror * lobe / (4.0 * height * height * (roughness + 0.5));
        sum += lamp_irradiance[lamp] * shade * max(cosine, 0.0) * (diffuse + glint);
    }
#endif
    return sum * gain;
}

// A picture is kept as square roots in 11, 11 and 10 bits: finer than sRGB bytes everywhere, and written without a conversion.
uint packed_color(vec3 linear) {
    uvec3 code = uvec3(sqrt(clamp(linear, 0.0, 1.0)) * vec3(2047.0, 2047.0, 1023.0) + 0.5);
    return code.r << 21 | code.g << 10 | code.b;
}
