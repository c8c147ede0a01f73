#version 460
// Writes keys into panels [kv_heads][keys / W][d_head][W], behind the `past` keys that are there already.
#extension GL_GOOGLE_include_directive : require
#include "attention.glsl"
layout(local_size_x = 64) in;

layout(binding = 0) uniform textureBuffer k;
layout(binding = 1) readonly buffer Rows { Row rows[]; };
layout(binding = 2) buffer Panels { vec4 panels[]; };
layout(push_constant) uniform Push {
    uint kv_heads;
    uint d4;
    uint panel4; // vec4s across a panel
};

void main() {
    const Row row = rows[gl_WorkGroupID.z / kv_heads];
    const uint head = gl_WorkGroupID.z % kv_heads;
    const uint c = gl_WorkGroupID.y;                                          // four channels …
    const uint group = row.past / 4 + gl_WorkGroupID.x * 64 + gl_LocalInvocationIndex; // … of four keys
    if (4 * group >= row.keys) return;
    vec4 by_key[4];
    for (uint j = 0; j < 4; ++j) {
        const uint key = 4 * group + j;
        by_key[j] = vec4(0);
        if (key >= row.past && key < row.keys)
            by_key[j] = texelFetch(k, int(((row.start + key - row.past) * kv_heads + head) * d4 + c));
    }
    const uint at = row.k_base + head * row.k_head + (group / panel4 * 4 * d4 + 4 * c) * panel4 + group % panel4;
    for (uint e = 0; e < 4; ++e) {
        vec4 v = vec4(by_key[0][e], by_key[1][e], by_key[2][e], by_key[3][e]);
        if (4 * group < row.past) {
            const vec4 old = panels[at + e * panel4];
            v = mix(v, old, lessThan(uvec4(4 * group) + uvec4(0, 1, 2, 3), uvec4(row.past)));
        }
        panels[at + e * panel4] = v;
    }
}
