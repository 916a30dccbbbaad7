// What a thing is and nothing else.
flat in uint tag;
layout(location = 0) out uint out_tag;

void main() { out_tag = tag; }
