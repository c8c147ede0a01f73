#version 460
// out[n] = table[ids[n]] · scale. The table is a matrix in panels, read by row or by column.
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"

layout(binding = 0) uniform textureBuffer table;
layout(binding = 1) readonly buffer Ids { uint ids[]; };
layout(binding = 2) writeonly buffer Out { vec4 o[]; };

layout(push_constant) uniform Push {
    uint items;
    uint row; // vec4s of a row of out
    uint k;   // rows of the matrix
    uint panel4; // vec4s across a panel
    uint by_column;
    float scale;
};

void main() {
    const uint i = item();
    if (i >= items) return;
    const uint id = ids[i / row];
    const uint c = i % row;
    vec4 x;
    if (by_column != 0) {
        const uint width = 4 * panel4;
        const uint base = (id / width * k + 4 * c) * panel4 + id % width / 4;
        for (uint e = 0; e < 4; ++e) x[e] = texelFetch(table, int(base + e * panel4))[id % 4];
    } else {
        x = texelFetch(table, int((c / panel4 * k + id) * panel4 + c % panel4));
    }
    o[i] = x * scale;
}
