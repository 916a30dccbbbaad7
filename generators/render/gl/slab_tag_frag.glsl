// The board alone, solid where the artwork has laminate, and which of it is bare copper.
uniform mat3 to_camera;
uniform sampler2D artwork;
uniform vec4 artwork_map;
in vec3 point;
in vec3 normal;
layout(location = 0) out uint out_tag;
layout(location = 1) out vec3 out_normal;

void main() {
    vec3 face = normalize(normal);
    vec4 art = texture(artwork, (point.xy - artwork_map.xy) * artwork_map.zw);
    bool top = face.z > 0.5;
    if (top && art.a < 0.5) discard;
    out_tag = 1u | ((top && art.r * art.g > 0.5) ? 2u << 28 : 1u << 28) | facet(face);
    out_normal = to_camera * face;
}
