#version 460
// What is asked of a row of logits, one subgroup a row: maximum, sums for entropy and varentropy, the target's
// logit, the largest logits. Sums are compensated (Kahan), since a vocabulary has many small terms.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_GOOGLE_include_directive : require
#include "math.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint lanes = 32;

layout(binding = 0) uniform textureBuffer logits;
layout(binding = 1) readonly buffer Targets { int targets[]; };      // of each row; then the watched tokens
layout(binding = 2) writeonly buffer Stats { vec4 stats[]; }; // two a row
layout(binding = 3) writeonly buffer Top { uvec2 tops[]; };          // id and bits of the logit, then those watched

layout(push_constant) uniform Push {
    uint pitch;   // vec4s between rows
    uint vocab;
    uint segment; // vec4s of a segment; at most 1024 segments
    uint top;
    uint first;   // row of targets, stats and tops that belongs to the first row of logits
    uint rows;    // of targets
    uint watched;
};

shared float maxima[1024]; // of each segment's tokens that are not in the top yet

int base;

vec4 load(uint c) {
    const vec4 x = texelFetch(logits, base + int(c));
    return mix(x, vec4(-infinity), greaterThanEqual(uvec4(4 * c) + uvec4(0, 1, 2, 3), uvec4(vocab)));
}

void kahan(inout vec4 sum, inout vec4 lost, vec4 term) {
    precise const vec4 y = term - lost;
    precise const vec4 t = sum + y;
    precise const vec4 rest = (t - sum) - y;
    lost = rest;
    sum = t;
}

float total(vec4 v) { return subgroupAdd((v.x + v.y) + (v.z + v.w)); }
float largest(vec4 v) { return subgroupMax(max(max(v.x, v.y), max(v.z, v.w))); }

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint row = first + gl_WorkGroupID.x;
    const uint end = (vocab + 3) / 4;
    const uint segments = (end + segment - 1) / segment;
    base = int(gl_WorkGroupID.x * pitch);

    float high = -infinity;
    for (uint s = 0; s < segments; ++s) {
        vec4 best = vec4(-infinity);
        const uint stop = min((s + 1) * segment, end);
        for (uint c = s * segment + lane; c < stop; c += lanes) best = max(best, load(c));
        const float most = largest(best);
        if (lane == 0) maxima[s] = most;
        high = max(high, most);
    }

    vec4 sum = vec4(0), sum_lost = vec4(0);
    vec4 first_moment = vec4(0), first_lost = vec4(0);
    for (uint c = lane; c < end; c += lanes) {
        const vec4 y = max(load(c) - high, vec4(-200)); // e^−200 is 0; −∞ · 0 is not
        const vec4 e = exp_exact(y);
        kahan(sum, sum_lost, e);
        kahan(first_moment, first_lost, e * y);
    }
    const float s0 = total(sum);
    const float mean = total(first_moment) / s0;
    vec4 second = vec4(0), second_lost = vec4(0);
    for (uint c = lane; c < end; c += lanes) {
        const vec4 y = max(load(c) - high, vec4(-200));
        const vec4 d = y - mean;
        kahan(second, second_lost, exp_exact(y) * d * d);
    }
    const float variance = total(second) / s0;
    const int target = targets[row];
    const float target_logit = target < 0 ? 0 : texelFetch(logits, base + target / 4)[target % 4];
    if (lane == 0) {
        stats[2 * row] = vec4(high, s0, mean, variance);
        stats[2 * row + 1] = vec4(target_logit, 0, 0, 0);
    }
    for (uint w = lane; w < watched; w += lanes) {
        const int id = targets[rows + w];
        const float logit = texelFetch(logits, base + id / 4)[id % 4];
        tops[row * (top + watched) + top + w] = uvec2(uint(id), floatBitsToUint(logit));
    }

    // The largest in order: the best segment, its first token of that value, then what is left of the segment.
    // Whatever comes before the last one taken, by value and then by id, is taken.
    float last = infinity;
    uint last_id = 0;
    for (uint t = 0; t < top; ++t) {
        memoryBarrierShared();
        barrier();
        float most = -infinity;
        uint segment_of_most = segments;
        for (uint s = lane; s < segments; s += lanes)
            if (segment_of_most == segments || maxima[s] > most) {
                most = maxima[s];
                segment_of_most = s;
            }
        const float best = subgroupMax(most);
        const uint chosen = subgroupMin(most == best ? segment_of_most : segments);
        const uint begin = min(chosen, segments - 1) * segment;
        const uint stop = min(begin + segment, end);
        uint id = 0xFFFFFFFFu;
        for (uint c = begin + lane; c < stop; c += lanes) {
            const vec4 x = load(c);
            for (uint e = 0; e < 4; ++e) {
                const uint token = 4 * c + e;
                if (x[e] == best && token < vocab && (best < last || token > last_id)) id = min(id, token);
            }
        }
        id = subgroupMin(id);
        float left = -infinity;
        for (uint c = begin + lane; c < stop; c += lanes) {
            const vec4 x = load(c);
            for (uint e = 0; e < 4; ++e)
                if (x[e] < best || (x[e] == best && 4 * c + e > id)) left = max(left, x[e]);
        }
        left = subgroupMax(left);
        if (lane == 0) {
            maxima[begin / segment] = left;
            tops[row * (top + watched) + t] = uvec2(id, floatBitsToUint(best));
        }
        last = best;
        last_id = id;
    }
}
