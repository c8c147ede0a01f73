// The hot loop of products on software devices: one subgroup computes ROWS rows by one panel of 4 · LANES
// columns. Every lane holds a vec4 of columns of each row; values of A go around by shuffles with a literal
// lane, which are single permutes, and all loads are texel fetches, which need no bounds tests. K is summed in
// order, so a row's bits depend on neither the other rows nor their number.
//
// Needs ROWS and LANES (8 or 16), the texel buffers a_texels and b_texels.
layout(local_size_x = LANES) in;

#define TILE_ROWS_ALL ROWS            // of the work-group
#define TILE_COLUMNS_ALL (4 * LANES)
#define TILE_COLUMNS 1                // vec4 columns of one invocation
#define TILE_PANELS 1
#define FETCHES ((ROWS + LANES - 1) / LANES)

vec4 acc[ROWS][1];

/// First row of the work-group, and of this invocation from there.
uint tile_row() { return gl_WorkGroupID.y * ROWS; }
uint tile_local_row() { return 0; }
/// vec4 column of the work-group, and of acc[][j].
uint tile_first_column() { return gl_WorkGroupID.x * LANES; }
uint tile_column(uint j) { return gl_WorkGroupID.x * LANES + gl_SubgroupInvocationID; }

#if ROWS == 1
#define EACH_ROW(X) X(0)
#elif ROWS == 4
#define EACH_ROW(X) X(0) X(1) X(2) X(3)
#else
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#endif

#if ROWS == 1
#define SPREAD(r, k) a[0][k]
#else
#define SPREAD(r, k) subgroupShuffle(a[r / LANES][k], r % LANES)
#endif
#define STEP_ROW0(r) acc[r][0] = fma(vec4(SPREAD(r, 0)), b0, acc[r][0]);
#define STEP_ROW1(r) acc[r][0] = fma(vec4(SPREAD(r, 1)), b1, acc[r][0]);
#define STEP_ROW2(r) acc[r][0] = fma(vec4(SPREAD(r, 2)), b2, acc[r][0]);
#define STEP_ROW3(r) acc[r][0] = fma(vec4(SPREAD(r, 3)), b3, acc[r][0]);
#define CLEAR_ROW(r) acc[r][0] = vec4(0);

/// acc = rows of A times a panel of B. a_base: texel of A's first element of the tile's first row; a_row: texels
/// between rows; a_last: the last row of the tile that exists; b_base: texel of the panel's first element; k4: steps of four in K.
void tile_multiply(uint a_base, uint a_row, uint a_last, uint b_base, uint b_panel, uint k4) {
    EACH_ROW(CLEAR_ROW)
#if ROWS == 1
    int a0 = int(a_base);
#else
    int a0 = int(a_base + min(min(gl_SubgroupInvocationID, ROWS - 1u), a_last) * a_row);
#endif
#if FETCHES == 2
    int a1 = int(a_base + min(gl_SubgroupInvocationID + LANES, a_last) * a_row);
#endif
    int b = int(b_base + gl_SubgroupInvocationID);
    for (uint i = 0; i < k4; ++i) {
        vec4 a[FETCHES];
        a[0] = texelFetch(a_texels, a0);
#if FETCHES == 2
        a[1] = texelFetch(a_texels, a1);
#endif
        const vec4 b0 = texelFetch(b_texels, b);
        const vec4 b1 = texelFetch(b_texels, b + LANES);
        const vec4 b2 = texelFetch(b_texels, b + 2 * LANES);
        const vec4 b3 = texelFetch(b_texels, b + 3 * LANES);
        EACH_ROW(STEP_ROW0)
        EACH_ROW(STEP_ROW1)
        EACH_ROW(STEP_ROW2)
        EACH_ROW(STEP_ROW3)
        a0 += 1;
#if FETCHES == 2
        a1 += 1;
#endif
        b += 4 * LANES;
    }
}
