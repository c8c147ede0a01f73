// Rotation and attention, whole and in parts, with and without a cache, on every device.
#include <cstring>
#include <limits>

#include "tests/backend/op_rig.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

constexpr double hidden = -std::numeric_limits<double>::infinity();

bool same_bits(const Tensor& a, const Tensor& b) {
    return a.data.size() == b.data.size() &&
           std::memcmp(a.data.data(), b.data.data(), a.data.size() * sizeof(float)) == 0;
}

struct Attended {
    std::vector<double> scores, pattern, z;
};

/// One batch row: queries at positions past …, keys and values from 0. All arrays [token][head][d_head];
/// bias [heads][keys] of `bias_keys` keys, or empty.
void attend(const run::AttentionSpec& spec, int past, int queries, const float* q, const float* k,
            const float* v, Attended& result, const std::vector<float>& bias = {}, int bias_keys = 0) {
    const int keys = past + queries;
    const std::size_t z_start = result.z.size();
    result.z.resize(z_start + static_cast<std::size_t>(queries) * spec.heads * spec.d_head);
    for (int h = 0; h < spec.heads; ++h) {
        const int g = h / (spec.heads / spec.kv_heads);
        for (int i = 0; i < queries; ++i) {
            std::vector<double> scores;
            double largest = hidden;
            for (int j = 0; j < keys; ++j) {
                double dot = 0;
                for (int d = 0; d < spec.d_head; ++d)
                    dot += static_cast<double>(q[(i * spec.heads + h) * spec.d_head + d]) *
                           k[(j * spec.kv_heads + g) * spec.d_head + d];
                const int position = past + i;
                const bool seen = j <= position && (spec.window == 0 || j > position - spec.window);
                double score = dot * static_cast<double>(spec.scale);
                if (spec.cap > 0) score = spec.cap * std::tanh(score / static_cast<double>(spec.cap));
                if (!bias.empty()) score += bias[static_cast<std::size_t>(h * bias_keys + j)];
                scores.push_back(seen ? score : hidden);
                largest = std::max(largest, scores.back());
            }
            double sum = 0;
            for (const double score : scores)
                sum += std::exp(score - largest);
            for (int j = 0; j < keys; ++j) {
                const double share = std::exp(scores[static_cast<std::size_t>(j)] - largest) / sum;
                result.pattern.push_back(share);
                for (int d = 0; d < spec.d_head; ++d)
                    result.z[z_start + static_cast<std::size_t>((i * spec.heads + h) * spec.d_head + d)] +=
                        share * v[(j * spec.kv_heads + g) * spec.d_head + d];
            }
            result.scores.insert(result.scores.end(), scores.begin(), scores.end());
        }
    }
}

struct Case {
    std::vector<int> queries;
    int heads, kv_heads, d_head, window;
    float cap = 0;
    int bias_keys = 0;
};

const Case cases[] = {
    {{1}, 1, 1, 1, 0},
    {{7}, 2, 2, 5, 0},
    {{33, 1, 12}, 4, 2, 16, 0},
    {{129, 5}, 3, 1, 33, 0},
    {{64}, 2, 2, 64, 0},
    {{40, 65}, 2, 1, 8, 16},
    {{130}, 1, 1, 7, 1},
    {{2, 31, 32, 33}, 2, 2, 32, 0},
    {{100, 1}, 2, 2, 12, 1000},
    {{33, 1, 12}, 4, 2, 16, 0, 5},
    {{129, 5}, 3, 1, 33, 16, 2},
    {{64, 7}, 2, 2, 64, 0, 0, 64},
    {{1, 65}, 4, 4, 6, 0, 0, 71},
    {{130, 1}, 2, 1, 12, 9, 1, 256},
};

} // namespace

class TestOpsAttention : public QObject {
    Q_OBJECT
private slots:
    void rotation_data() { add_devices(); }
    void rotation() {
        QFETCH(QString, device);
        const struct {
            int heads, width, dims;
            bool interleaved;
        } shapes[] = {
            {1, 2, 2, false}, {3, 33, 8, false}, {3, 33, 8, true}, {2, 64, 64, false}, {2, 64, 64, true}};
        for (const auto& shape : shapes) {
            OpRig rig({5, 1, 3}, {0, 7, 2});
            const int half = shape.dims / 2;
            std::vector<float> cos, sin;
            for (int p = 0; p < 10; ++p) {
                for (int i = 0; i < half; ++i) {
                    const double angle = p / std::pow(10000.0, 2.0 * i / shape.dims);
                    cos.push_back(static_cast<float>(std::cos(angle)));
                    sin.push_back(static_cast<float>(std::sin(angle)));
                }
            }
            const auto x = random_floats(static_cast<std::size_t>(9 * shape.heads * shape.width), 1);
            const auto out = rig.value(shape.heads, shape.width);
            rig.op(run::Rotate{rig.constant({10, half}, cos), rig.constant({10, half}, sin), shape.dims,
                               shape.interleaved, rig.input(shape.heads, shape.width, x), out});
            rig.capture(out);
            auto want = doubles(x);
            const int positions[] = {0, 1, 2, 3, 4, 7, 2, 3, 4};
            for (int n = 0; n < 9; ++n) {
                for (int h = 0; h < shape.heads; ++h) {
                    for (int i = 0; i < half; ++i) {
                        const std::size_t base =
                            static_cast<std::size_t>((n * shape.heads + h) * shape.width);
                        const std::size_t a = base + static_cast<std::size_t>(shape.interleaved ? 2 * i : i);
                        const std::size_t b =
                            base + static_cast<std::size_t>(shape.interleaved ? 2 * i + 1 : i + half);
                        const double c = cos[static_cast<std::size_t>(positions[n] * half + i)];
                        const double s = sin[static_cast<std::size_t>(positions[n] * half + i)];
                        want[a] = x[a] * c - x[b] * s;
                        want[b] = x[b] * c + x[a] * s;
                    }
                }
            }
            QVERIFY(close(rig.run(device).captures[0].data, want, "rotation"));
        }
    }

    void rows_may_rotate_by_lines_of_their_own_data() { add_devices(); }
    void rows_may_rotate_by_lines_of_their_own() {
        QFETCH(QString, device);
        OpRig rig({2, 1, 2}, {0, 3, 1});
        const auto angles = random_floats(20 * 3, 1);
        std::vector<float> cos, sin;
        for (const float angle : angles) {
            cos.push_back(std::cos(angle));
            sin.push_back(std::sin(angle));
        }
        const auto x = random_floats(5 * 2 * 7, 2);
        const auto in = rig.input(2, 7, x);
        const auto out = rig.value(2, 7), plain = rig.value(2, 7);
        const auto c = rig.constant({20, 3}, cos), s = rig.constant({20, 3}, sin);
        rig.op(run::Rotate{c, s, 6, false, in, plain}); // the same tables, other lines
        rig.op(run::Rotate{c, s, 6, false, in, out, {0, 16, 8}});
        rig.capture(out);
        const std::size_t lines[] = {0, 1, 19, 9, 10};
        auto want = doubles(x);
        for (std::size_t n = 0; n < 5; ++n)
            for (std::size_t head = 0; head < 2; ++head)
                for (std::size_t i = 0; i < 3; ++i) {
                    const std::size_t a = (n * 2 + head) * 7 + i;
                    const double angle = angles[lines[n] * 3 + i];
                    want[a] = x[a] * std::cos(angle) - x[a + 3] * std::sin(angle);
                    want[a + 3] = x[a + 3] * std::cos(angle) + x[a] * std::sin(angle);
                }
        QVERIFY(close(rig.run(device).captures[0].data, want, "rotation"));
    }

    void whole_split_and_uncaptured_agree_data() { add_devices(); }
    void whole_split_and_uncaptured_agree() {
        QFETCH(QString, device);
        for (const Case& shape : cases) {
            OpRig rig(shape.queries);
            run::AttentionSpec spec;
            spec.heads = shape.heads;
            spec.kv_heads = shape.kv_heads;
            spec.d_head = shape.d_head;
            spec.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(shape.d_head)));
            spec.window = shape.window;
            spec.cap = shape.cap;
            const auto bias = random_floats(static_cast<std::size_t>(shape.heads * shape.bias_keys), 4, 3);
            if (shape.bias_keys > 0) spec.key_bias = rig.constant({shape.heads, shape.bias_keys}, bias);
            const int q_size = shape.heads * shape.d_head;
            const int k_size = shape.kv_heads * shape.d_head;
            const auto q = random_floats(static_cast<std::size_t>(rig.tokens() * q_size), 1, 2);
            const auto k = random_floats(static_cast<std::size_t>(rig.tokens() * k_size), 2, 2);
            const auto v = random_floats(static_cast<std::size_t>(rig.tokens() * k_size), 3);
            const auto q_id = rig.input(shape.heads, shape.d_head, q);
            const auto k_id = rig.input(shape.kv_heads, shape.d_head, k);
            const auto v_id = rig.input(shape.kv_heads, shape.d_head, v);
            const auto plain = rig.value(shape.heads, shape.d_head);
            const auto z = rig.value(shape.heads, shape.d_head);
            const auto split_z = rig.value(shape.heads, shape.d_head);
            const auto scores = rig.pairs(shape.heads), pattern = rig.pairs(shape.heads);
            const auto split_scores = rig.pairs(shape.heads), split_pattern = rig.pairs(shape.heads);
            rig.op(run::Attention{spec, q_id, k_id, v_id, plain});
            rig.op(run::Attention{spec, q_id, k_id, v_id, z, scores, pattern});
            rig.op(run::AttentionScores{spec, q_id, k_id, split_scores});
            rig.op(run::AttentionPattern{split_scores, split_pattern});
            rig.op(run::AttentionMix{spec, split_pattern, v_id, split_z});
            for (const auto id : {plain, z, scores, pattern, split_scores, split_pattern, split_z})
                rig.capture(id);
            const auto captures = rig.run(device).captures;

            Attended want;
            for (int row = 0; row < rig.plan.batch.rows(); ++row) {
                const int start = rig.plan.batch.row_start[static_cast<std::size_t>(row)];
                attend(spec, 0, rig.plan.batch.queries(row), q.data() + start * q_size,
                       k.data() + start * k_size, v.data() + start * k_size, want, bias, shape.bias_keys);
            }
            QVERIFY(close(captures[0].data, want.z, "z"));
            QVERIFY(close(captures[2].data, want.scores, "scores"));
            QVERIFY(close(captures[3].data, want.pattern, "pattern"));
            for (std::size_t i = 0; i < want.pattern.size(); ++i)
                QVERIFY(want.pattern[i] != 0 || captures[3].data[i] == 0.0F);
            QVERIFY(same_bits(captures[0], captures[1]));
            QVERIFY(same_bits(captures[2], captures[4]));
            QVERIFY(same_bits(captures[3], captures[5]));
            QVERIFY(same_bits(captures[0], captures[6]));
        }
    }

    void a_row_of_hidden_keys_becomes_zeros_data() { add_devices(); }
    void a_row_of_hidden_keys_becomes_zeros() {
        QFETCH(QString, device);
        OpRig rig({3});
        const auto infinity = -std::numeric_limits<float>::infinity();
        const auto scores =
            rig.input_pairs(1, {1, infinity, infinity, infinity, infinity, infinity, 0, infinity, 0});
        const auto pattern = rig.pairs(1);
        rig.op(run::AttentionPattern{scores, pattern});
        rig.capture(pattern);
        QCOMPARE(rig.run(device).captures[0].data, (std::vector<float>{1, 0, 0, 0, 0, 0, 0.5F, 0, 0.5F}));
    }

    void an_edited_pattern_may_look_ahead_data() { add_devices(); }
    void an_edited_pattern_may_look_ahead() {
        QFETCH(QString, device);
        OpRig rig({2});
        run::AttentionSpec spec;
        spec.heads = spec.kv_heads = 1;
        spec.d_head = 3;
        const auto z = rig.value(1, 3);
        rig.op(run::AttentionMix{spec, rig.input_pairs(1, {0, 1, 0.5F, 2}),
                                 rig.input(1, 3, {1, 2, 3, 10, 20, 30}), z});
        rig.capture(z);
        QVERIFY(
            close(rig.run(device).captures[0].data, std::vector<double>{10, 20, 30, 20.5, 41, 61.5}, "z"));
    }

    void a_cache_continues_its_rows_data() { add_devices(); }
    void a_cache_continues_its_rows() {
        QFETCH(QString, device);
        run::AttentionSpec spec;
        spec.heads = 4;
        spec.kv_heads = 2;
        spec.d_head = 20;
        spec.scale = 0.25F;
        const int total[] = {60, 37};
        const std::vector<float> q[] = {random_floats(60 * 80, 1), random_floats(37 * 80, 2)};
        const std::vector<float> k[] = {random_floats(60 * 40, 3), random_floats(37 * 40, 4)};
        const std::vector<float> v[] = {random_floats(60 * 40, 5), random_floats(37 * 40, 6)};
        const auto bias = random_floats(4 * 61, 7, 2);
        for (const int layer : {0, 2}) {
            spec.layer = layer;
            spec.window = layer == 2 ? 7 : 0; // capped, biased and windowed too
            spec.cap = layer == 2 ? 1.5F : 0;
            OpRig loader({1});
            loader.model.spec.layers = 3;
            loader.model.spec.heads = 4;
            loader.model.spec.kv_heads = 2;
            loader.model.spec.d_head = 20;
            const auto loaded = loader.load(device);
            auto cache = loaded->make_cache(2, 64);
            QVERIFY(cache.has_value());
            // A prompt of unequal rows, then single tokens, several at once, and a step back.
            std::vector<int> past = {0, 0};
            for (const std::vector<int>& step :
                 {std::vector<int>{21, 5}, {1, 1}, {1, 1}, {34, 13}, {1, 1}, {2, 16}}) {
                OpRig rig(step, past);
                if (layer == 2) spec.key_bias = rig.constant({4, 61}, bias);
                std::vector<float> q_now, k_now, v_now;
                Attended want;
                for (std::size_t row = 0; row < 2; ++row) {
                    const int begin = past[row], end = past[row] + step[row];
                    QVERIFY(end <= total[row]);
                    q_now.insert(q_now.end(), q[row].begin() + begin * 80, q[row].begin() + end * 80);
                    k_now.insert(k_now.end(), k[row].begin() + begin * 40, k[row].begin() + end * 40);
                    v_now.insert(v_now.end(), v[row].begin() + begin * 40, v[row].begin() + end * 40);
                    attend(spec, begin, step[row], q[row].data() + begin * 80, k[row].data(), v[row].data(),
                           want, layer == 2 ? bias : std::vector<float>(), 61);
                }
                const auto q_id = rig.input(4, 20, q_now);
                const auto k_id = rig.input(2, 20, k_now);
                const auto v_id = rig.input(2, 20, v_now);
                const auto z = rig.value(4, 20), split_z = rig.value(4, 20);
                const auto pattern = rig.pairs(4), scores = rig.pairs(4), split_pattern = rig.pairs(4);
                rig.op(run::CacheAppend{layer, k_id, v_id});
                rig.op(run::Attention{spec, q_id, k_id, v_id, z, run::absent, pattern});
                rig.op(run::AttentionScores{spec, q_id, k_id, scores});
                rig.op(run::AttentionPattern{scores, split_pattern});
                rig.op(run::AttentionMix{spec, split_pattern, v_id, split_z});
                for (const auto id : {z, pattern, scores, split_pattern, split_z})
                    rig.capture(id);
                const auto outputs = loaded->execute(rig.plan, cache->get(), {}, {});
                QVERIFY2(outputs.has_value(), outputs ? "" : outputs.error().message.c_str());
                QVERIFY(close(outputs->captures[0].data, want.z, "z"));
                QVERIFY(close(outputs->captures[1].data, want.pattern, "pattern"));
                QVERIFY(close(outputs->captures[2].data, want.scores, "scores"));
                QVERIFY(same_bits(outputs->captures[1], outputs->captures[3]));
                QVERIFY(same_bits(outputs->captures[0], outputs->captures[4]));
                for (std::size_t row = 0; row < 2; ++row) {
                    past[row] += step[row];
                    QCOMPARE((*cache)->length(static_cast<int>(row)), past[row]);
                }
                if (step[0] == 34) {
                    (*cache)->truncate(0, 30);
                    past[0] = 30;
                }
            }
        }
    }

    void a_plan_for_other_lengths_is_refused_and_leaves_the_cache_data() { add_devices(); }
    void a_plan_for_other_lengths_is_refused_and_leaves_the_cache() {
        QFETCH(QString, device);
        OpRig rig({2}, {3});
        rig.model.spec.layers = rig.model.spec.heads = rig.model.spec.kv_heads = 1;
        rig.model.spec.d_head = 4;
        const auto k = rig.input(1, 4, random_floats(8, 1));
        rig.op(run::CacheAppend{0, k, k});
        const auto loaded = rig.load(device);
        auto cache = loaded->make_cache(1, 16);
        QVERIFY(cache.has_value());
        QVERIFY(!loaded->execute(rig.plan, cache->get(), {}, {}).has_value());
        QVERIFY(!loaded->execute(rig.plan, nullptr, {}, {}).has_value());
        QCOMPARE((*cache)->length(0), 0);
    }
};

QTEST_GUILESS_MAIN(TestOpsAttention)
#include "test_ops_attention.moc"
