in vec3 point;
layout(location = 0) out float out_height;
void main() { out_height = point.z; }
