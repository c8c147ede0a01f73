// The hot loop of exact products on GPUs: 256 invocations compute a tile of 16 · ROWS rows by 64 · COLUMNS
// columns through shared memory, K in steps of 16, float32 throughout. K is summed in order, so a row's bits
// depend on neither the other rows nor their number.
//
// Needs ROWS (4 or 8) and COLUMNS, the storage buffers a_data[] and b_data[] of vec4; LANES is 8.
layout(local_size_x = 256) in;

#define TILE_ROWS_ALL (16 * ROWS)       // of the work-group
#define TILE_COLUMNS_ALL (64 * COLUMNS)
#define TILE_COLUMNS COLUMNS            // vec4 columns of one invocation
#define TILE_PANELS (2 * COLUMNS)

const uint a_pitch = 4 * ROWS + 1; // vec4s; one more than the rows need keeps columns in different banks
shared vec4 a_tile[16 * a_pitch];  // [k][rows / 4]
shared vec4 b_tile[16 * 16 * COLUMNS]; // [k][columns / 4]

vec4 acc[ROWS][COLUMNS];

#if ROWS == 4
#define EACH_ROW(X) X(0) X(1) X(2) X(3)
#else
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#endif

/// First row of the work-group, and of this invocation from there; vec4 column of the work-group, and of acc[][j].
uint tile_local_row() { return gl_LocalInvocationIndex / 16 * ROWS; }
uint tile_row() { return gl_WorkGroupID.y * (16 * ROWS); }
uint tile_first_column() { return gl_WorkGroupID.x * (16 * COLUMNS); }
uint tile_column(uint j) { return gl_WorkGroupID.x * (16 * COLUMNS) + j * 16 + gl_LocalInvocationIndex % 16; }

/// acc = rows of A times 2 · COLUMNS panels of B. a_base: vec4 of A's first element of the tile's first row;
/// a_row: vec4s between rows; a_last: the last row of the tile that exists; b_base: vec4 of the first panel; b_panel: vec4s between panels; k4: steps of four.
void tile_multiply(uint a_base, uint a_row, uint a_last, uint b_base, uint b_panel, uint k4) {
    const uint local = gl_LocalInvocationIndex;
    [[unroll]] for (uint r = 0; r < ROWS; ++r)
        [[unroll]] for (uint c = 0; c < COLUMNS; ++c) acc[r][c] = vec4(0);
    const uint row = local / 16 * (ROWS / 4);
    const uint column = local % 16;
    for (uint start = 0; start < k4; start += 4) {
        for (uint i = local; i < 64 * ROWS; i += 256) {
            const uint k = i % 4;
            const uint r = i / 4;
            const vec4 a = start + k < k4 ? a_data[a_base + min(r, a_last) * a_row + start + k] : vec4(0);
            for (uint e = 0; e < 4; ++e) a_tile[(4 * k + e) * a_pitch + r / 4][r % 4] = a[e];
        }
        for (uint i = local; i < 256 * COLUMNS; i += 256) {
            const uint lane = i % 8;
            const uint k = i / 8 % 16;
            const uint panel = i / 128;
            b_tile[k * 16 * COLUMNS + panel * 8 + lane] =
                4 * start + k < 4 * k4 ? b_data[b_base + panel * b_panel + (4 * start + k) * 8 + lane] : vec4(0);
        }
        barrier();
        for (uint k = 0; k < 16; ++k) {
            vec4 b[COLUMNS];
            [[unroll]] for (uint c = 0; c < COLUMNS; ++c) b[c] = b_tile[k * 16 * COLUMNS + c * 16 + column];
            [[unroll]] for (uint r = 0; r < ROWS; r += 4) {
                const vec4 a = a_tile[k * a_pitch + row + r / 4];
                [[unroll]] for (uint e = 0; e < 4; ++e)
                    [[unroll]] for (uint c = 0; c < COLUMNS; ++c) acc[r + e][c] = fma(vec4(a[e]), b[c], acc[r + e][c]);
            }
        }
        barrier();
    }
}
