#version 460
// scores[h, i, j] = scale · q_i·k_j, capped, with a bias of (h, j), −inf where the mask hides key j.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require
#include "attention.glsl"
#include "math.glsl"

#ifdef SHARED
layout(binding = 0) readonly buffer A { vec4 a_data[]; };
layout(binding = 1) readonly buffer B { vec4 b_data[]; };
#else
layout(binding = 0) uniform textureBuffer a_texels;
layout(binding = 1) uniform textureBuffer b_texels;
#endif
layout(binding = 2) readonly buffer Rows { Row rows[]; };
layout(binding = 3) buffer C { vec4 c_data[]; };
layout(binding = 4) uniform textureBuffer key_bias; // [all_heads][bias_pitch]

layout(constant_id = 0) const uint has_cap = 0;
layout(constant_id = 1) const uint has_bias = 0;
layout(constant_id = 2) const uint has_stream = 0; // some heads see the sinks and a window only
layout(constant_id = 3) const uint sinks_only = 0; // write the sinks outside that window and nothing else

layout(push_constant) uniform Push {
    uint heads;      // of this dispatch
    uint head_begin; // the first of them
    uint all_heads;
    uint group; // query heads that share a key head
    uint d4;
    uint window;
    float scale;
    uint sparse; // tiles that the mask hides whole need not be written
    float cap;
    uint bias_pitch;
    uint stream_window;
    uint sinks;
    uint streaming[4]; // bit h: head h streams
};

#ifdef SHARED
#include "tile_shared.glsl"
#else
#include "tile_registers.glsl"
#endif

// Keys that a streaming head does not see: neither sinks nor in the window.
uvec4 beyond_stream(uvec4 key, uint q, bool streams) {
    if (has_stream == 0 || !streams) return uvec4(0);
    return uvec4(greaterThanEqual(key, uvec4(sinks))) & uvec4(lessThanEqual(key + stream_window, uvec4(q)));
}

// Sinks outside the window of a query.
bvec4 is_sink(uvec4 key, uint q) {
    return bvec4(uvec4(lessThan(key, uvec4(sinks))) & uvec4(lessThanEqual(key + stream_window, uvec4(q))));
}

#define STORE(r)                                                                                              \
    if (r0 + r < row.queries) {                                                                               \
        const uint q = row.past + r0 + r;                                                                     \
        const bvec4 hidden = bvec4(uvec4(greaterThan(key, uvec4(q))) |                                        \
                                   uvec4(lessThanEqual(key + window, uvec4(q))) * uint(window != 0) |         \
                                   outside | beyond_stream(key, q, streams));                                  \
        vec4 score = acc[r][j] * scale;                                                                       \
        if (has_cap != 0) score = capped(score, cap);                                                         \
        if (has_bias != 0) score += bias;                                                                     \
        score = mix(score, vec4(-infinity), hidden);                                                          \
        if (sinks_only != 0) score = mix(c_data[c + r * row.pitch], score, is_sink(key, q));                  \
        c_data[c + r * row.pitch] = score;                                                                    \
    }

void main() {
    const Row row = rows[gl_WorkGroupID.z / heads];
    const uint local_head = gl_WorkGroupID.z % heads;
    const uint head = head_begin + local_head;
    const uint first_key = tile_first_column() * 4;
    const uint end = min(tile_row() + TILE_ROWS_ALL, row.queries); // of the tile's queries
    const bool inside = tile_row() < row.queries && first_key < row.pitch * 4;
    const bool visible = inside && first_key < row.past + end &&
                         (window == 0 || first_key + TILE_COLUMNS_ALL + window > row.past + tile_row() + 1);
    tile_multiply((row.start + tile_row()) * all_heads * d4 + head * d4, all_heads * d4,
                  row.queries - min(tile_row(), row.queries - 1) - 1,
                  row.k_base + head / group * row.k_head + gl_WorkGroupID.x * TILE_PANELS * d4 * 4 * LANES,
                  d4 * 4 * LANES, visible ? d4 : 0);
    const bool streams = (streaming[head / 32] >> head % 32 & 1) != 0;
    if (!inside || (sparse != 0 && !visible) || (sinks_only != 0 && !streams)) return;
    const uint r0 = tile_row() + tile_local_row();
    [[unroll]] for (uint j = 0; j < TILE_COLUMNS; ++j) {
        const uint column = tile_column(j);
        if (column < row.pitch) {
            const uvec4 key = uvec4(4 * column) + uvec4(0, 1, 2, 3);
            const uvec4 outside = uvec4(greaterThanEqual(key, uvec4(row.keys)));
            const uint c = row.score_base + local_head * row.pair_head + r0 * row.pitch + column;
            const vec4 bias =
                has_bias != 0 ? texelFetch(key_bias, int(head * bias_pitch + column)) : vec4(0);
            EACH_ROW(STORE)
        }
    }
}
