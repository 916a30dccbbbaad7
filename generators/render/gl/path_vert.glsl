// Packages (instanced), solder (not instanced) and the slab as bodies that rays go through.
uniform mat4 clip;
uniform float extent;               // [m] greatest of a triangle
uniform vec4 depth;                 // board coordinates and 1 to depth before the focus plane [m]
uniform sampler2D coefficients;     // (M, 1): lengths of the basis that attenuate like a metre of a material
in vec3 in_position;
in uvec2 in_surface;                // material, part
#ifndef SOUP
in vec4 in_row0;
in vec4 in_row1;
in vec4 in_row2;
#endif
out float far;
flat out float corner;
flat out float reach;
flat out vec4 amount;

void main() {
#ifdef SOUP
    vec3 point = in_position;
#else
    vec4 local = vec4(in_position, 1.0);
    vec3 point = vec3(dot(in_row0, local), dot(in_row1, local), dot(in_row2, local));
#endif
    amount = texelFetch(coefficients, ivec2(int(in_surface.x), 0), 0);
    reach = extent;
    far = corner = dot(depth, vec4(point, 1.0));
    gl_Position = clip * vec4(point, 1.0);
    gl_Position.z = 0.0;            // nothing is cut off before or behind: every entry keeps its exit
}
