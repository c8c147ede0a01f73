#version 460
// Normalisation over the last axis, one subgroup a vector. One kernel for the whole and for its parts, so that
// they give the same bits.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint lanes = 32;
layout(constant_id = 1) const uint centred = 1; // layer: subtract the mean
layout(constant_id = 2) const uint flat_heads = 0; // a vector is all heads of a token, each padded

layout(binding = 0) uniform textureBuffer x;
layout(binding = 1) uniform textureBuffer scale_in;
layout(binding = 2) uniform textureBuffer weight;
layout(binding = 3) uniform textureBuffer bias;
layout(binding = 4) writeonly buffer Scale { vec4 scale_out[]; };
layout(binding = 5) writeonly buffer Normalized { vec4 normalized[]; };
layout(binding = 6) writeonly buffer Out { vec4 o[]; };

layout(push_constant) uniform Push {
    uint vectors;
    uint head;     // vec4s of a vector
    uint width;    // elements of a head
    uint elements; // of a vector
    float eps;
    uint flags;
    uint weight_heads; // vectors whose weights differ, in turn
    uint bias_heads;
    uint block; // vec4s of a head
};
const uint read_scale = 1, write_scale = 2, write_normalized = 4, write_out = 8, has_weight = 16, has_bias = 32;

// The last group of four of a head may hold padding.
vec4 tail;
vec4 padding(uint c) {
    return (flat_heads != 0 ? c % block + 1 == block : c + 1 == head) ? tail : vec4(1);
}

float sum_of(vec4 v) { return subgroupAdd((v.x + v.y) + (v.z + v.w)); }

void main() {
    const uint vector = gl_WorkGroupID.y * 32768u + gl_WorkGroupID.x;
    if (vector >= vectors) return;
    const uint lane = gl_SubgroupInvocationID;
    const int base = int(vector * head);
    tail = vec4(lessThan(uvec4(4 * block - 4) + uvec4(0, 1, 2, 3), uvec4(width)));
    const int weight_base = int(vector % weight_heads * head);
    const int bias_base = int(vector % bias_heads * head);

    float mean = 0;
    if (centred != 0) {
        vec4 sum = vec4(0);
        for (uint c = lane; c < head; c += lanes)
            sum += texelFetch(x, base + int(c)) * padding(c);
        mean = sum_of(sum) / float(elements);
    }
    float scale;
    if ((flags & read_scale) != 0) {
        scale = texelFetch(scale_in, int(vector)).x;
    } else {
        vec4 squares = vec4(0);
        for (uint c = lane; c < head; c += lanes) {
            const vec4 v = (texelFetch(x, base + int(c)) - mean) * padding(c);
            squares = fma(v, v, squares);
        }
        scale = sqrt(sum_of(squares) / float(elements) + eps);
    }
    if ((flags & write_scale) != 0 && lane == 0) scale_out[vector] = vec4(scale, 0, 0, 0);
    if ((flags & (write_normalized | write_out)) == 0) return;
    for (uint c = lane; c < head; c += lanes) {
        precise vec4 v = (texelFetch(x, base + int(c)) - mean) / scale * padding(c);
        if ((flags & write_normalized) != 0) normalized[base + c] = v;
        if ((flags & write_out) == 0) continue;
        if ((flags & has_weight) != 0) v *= texelFetch(weight, weight_base + int(c));
        if ((flags & has_bias) != 0) v += texelFetch(bias, bias_base + int(c));
        o[base + c] = v;
    }
}
