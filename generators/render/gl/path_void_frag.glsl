// The chord of a ray through a sphere, once per ray: only the near sides of its cube are drawn.
uniform vec4 eye;                   // source and 1, or the direction against parallel rays and 0
in vec3 point;
flat in vec4 amount;
flat in vec4 sphere;
layout(location = 0) out vec4 out_path;

void main() {
    vec3 along = eye.w > 0.5 ? normalize(point - eye.xyz) : -eye.xyz;
    vec3 off = point - sphere.xyz;
    off -= along * dot(along, off);
    float square = sphere.w * sphere.w - dot(off, off);
    if (square <= 0.0) discard;
    out_path = amount * (2.0 * sqrt(square));
}
