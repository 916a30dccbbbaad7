in vec3 normal;
flat in uint tag;
layout(location = 0) out uint out_tag;
void main() { out_tag = tag | facet(normalize(normal)); }
