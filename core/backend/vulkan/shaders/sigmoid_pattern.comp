#version 460
// 1 / (1 + n e^(-score)), one subgroup a query, n its scores above -inf; those of -inf get 0.
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

layout(push_constant) uniform Push { uint heads; };

vec4 load(int base, uint c, uint keys) {
    const uvec4 key = uvec4(4 * c) + uvec4(0, 1, 2, 3);
    return mix(texelFetch(scores, base + int(c)), vec4(-infinity), greaterThanEqual(key, uvec4(keys)));
}

void main() {
    const Row row = rows[gl_WorkGroupID.z / heads];
    const uint query = gl_WorkGroupID.x;
    if (query >= row.queries) return;
    const uint lane = gl_SubgroupInvocationID;
    const uint offset = gl_WorkGroupID.z % heads * row.pair_head + query * row.pitch;
    const int base = int(row.score_base + offset);
    uint own = 0;
    for (uint c = lane; 4 * c < row.keys; c += lanes) {
        const uvec4 seen = uvec4(notEqual(load(base, c, row.keys), vec4(-infinity)));
        own += seen.x + seen.y + seen.z + seen.w;
    }
    const float n = float(subgroupAdd(own));
    for (uint c = lane; c < row.pitch; c += lanes) {
        const vec4 x = load(base, c, row.keys);
        const vec4 y = 1.0 / (1.0 + n * exp_exact(-x));
        pattern[row.pattern_base + offset + c] = mix(y, vec4(0), equal(x, vec4(-infinity)));
    }
}
