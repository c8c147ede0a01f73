#version 460
// Softmax over keys, one subgroup a query. A query whose scores are all −inf gets zeros.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_GOOGLE_include_directive : require
#include "attention.glsl"
#include "math.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint lanes = 32;

layout(binding = 0) uniform textureBuffer scores;
layout(binding = 1) readonly buffer Rows { Row rows[]; };
layout(binding = 2) writeonly buffer Pattern { vec4 pattern[]; };

layout(push_constant) uniform Push {
    uint heads;
    uint causal; // look only at the keys that the mask shows, and write only what the mix of `tile` rows reads
    uint window;
    uint tile;
};

vec4 load(int base, uint c, uvec2 range) {
    const uvec4 key = uvec4(4 * c) + uvec4(0, 1, 2, 3);
    const vec4 x = texelFetch(scores, base + int(c));
    return mix(x, vec4(-infinity), bvec4(uvec4(lessThan(key, uvec4(range.x))) | uvec4(greaterThanEqual(key, uvec4(range.y)))));
}

void main() {
    const Row row = rows[gl_WorkGroupID.z / heads];
    const uint query = gl_WorkGroupID.x;
    if (query >= row.queries) return;
    const uint lane = gl_SubgroupInvocationID;
    const uint offset = gl_WorkGroupID.z % heads * row.pair_head + query * row.pitch;
    const int base = int(row.score_base + offset);
    uvec2 range = uvec2(0, row.keys); // of keys with a weight
    uvec2 written = uvec2(0, row.pitch);
    if (causal != 0) {
        const uint q = row.past + query;
        const uint first = query / tile * tile;
        range = uvec2(window != 0 && q + 1 > window ? q + 1 - window : 0, q + 1);
        const uint low = window != 0 && row.past + first + 1 > window ? row.past + first + 1 - window : 0;
        written = uvec2(low / 4, (row.past + min(first + tile, row.queries) + 3) / 4);
    }
    // From a multiple of `lanes`: a key's lane, and so the order of the sum, does not depend on the range.
    const uint begin = range.x / 4 / lanes * lanes + lane;
    const uint end = (range.y + 3) / 4;

    vec4 high = vec4(-infinity);
    for (uint c = begin; c < end; c += lanes) high = max(high, load(base, c, range));
    const float top = subgroupMax(max(max(high.x, high.y), max(high.z, high.w)));
    const float shift = top == -infinity ? 0 : top;
    vec4 sums = vec4(0);
    for (uint c = begin; c < end; c += lanes) sums += exp_exact(load(base, c, range) - shift);
    const float sum = subgroupAdd((sums.x + sums.y) + (sums.z + sums.w));
    const float share = sum == 0 ? 0 : 1 / sum;
    for (uint c = written.x + lane; c < written.y; c += lanes)
        pattern[row.pattern_base + offset + c] = exp_exact(load(base, c, range) - shift) * share;
}
