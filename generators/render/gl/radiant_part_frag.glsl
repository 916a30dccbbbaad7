// Parts and solder at their own temperatures (scenes/heat.py, TemperatureField).
flat in uint tag;
flat in float emissivity;
flat in vec4 mean;                  // temperature and its gradient
flat in vec4 middle;                // and rise
flat in vec3 limits;                // greatest part of the gradient [K]; 1 / reach squared; 0 where it is as warm as the board
in vec3 point;
in vec3 normal;
in float under;                     // band radiance of the board there: it changes slowly, and triangles are small
layout(location = 0) out float out_radiance;
layout(location = 1) out uint out_tag;

void main() {
    vec3 away = point - middle.xyz;
    float kelvin = mean.x + clamp(dot(away, mean.yzw), -limits.x, limits.x) + middle.w * max(1.0 - dot(away, away) * limits.y, 0.0);
    float black = limits.z > 0.0 ? band(kelvin) : under;
    out_tag = tag;
    out_radiance = leaving(emissivity, black, under, point, normalize(normal));
}
