uniform mat3 to_camera;
in vec3 normal;
flat in uint tag;
layout(location = 0) out uint out_tag;
layout(location = 1) out vec3 out_normal;

void main() {
    vec3 n = normalize(normal);
    out_tag = tag | facet(n);
    out_normal = to_camera * n;
}
