// Interventions, on every device.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/backend/op_rig.h"

using namespace vitrine;
using namespace vitrine::test;
using run::EditEntry;
using run::EditKind;

namespace {

/// Rows of 3 and 5 tokens, 2 heads of 7 channels.
constexpr int heads = 2;
constexpr int width = 7;
const std::vector<int> rows = {3, 5};

std::size_t at(int packed, int head, int channel) {
    return static_cast<std::size_t>((packed * heads + head) * width + channel);
}

EditEntry box(EditKind kind, int row, int pos_begin, int pos_end, int head_begin, int head_end,
              int channel_begin, int channel_end) {
    EditEntry entry;
    entry.kind = kind;
    entry.row = row;
    entry.pos_begin = pos_begin;
    entry.pos_end = pos_end;
    entry.head_begin = head_begin;
    entry.head_end = head_end;
    entry.channel_begin = channel_begin;
    entry.channel_end = channel_end;
    return entry;
}

} // namespace

class TestOpsEdit : public QObject {
    Q_OBJECT
private slots:
    void boxes_are_edited_in_order_data() { add_devices(); }
    void boxes_are_edited_in_order() {
        QFETCH(QString, device);
        OpRig rig(rows);
        const auto x = random_floats(8 * heads * width, 1);
        const auto vectors = random_floats(100, 2);
        const auto value = rig.input(heads, width, x);
        const auto tensor = rig.constant({100}, vectors);
        auto want = doubles(x);

        run::Edit edit;
        edit.value = value;
        auto zero = box(EditKind::set, 1, 1, 3, 0, 1, 2, 6); // packed tokens 4 and 5
        edit.entries.push_back(zero);
        for (int n = 4; n < 6; ++n)
            for (int c = 2; c < 6; ++c)
                want[at(n, 0, c)] = 0;

        auto scale = box(EditKind::scale, 1, 0, 5, 0, 2, 0, 7);
        scale.scalar = -2.5F;
        edit.entries.push_back(scale);
        for (int n = 3; n < 8; ++n)
            for (int h = 0; h < heads; ++h)
                for (int c = 0; c < width; ++c)
                    want[at(n, h, c)] *= -2.5;

        auto raise = box(EditKind::add, 0, 2, 3, 1, 2, 0, 7); // no tensor: adds the scalar
        raise.scalar = 3;
        edit.entries.push_back(raise);
        for (int c = 0; c < width; ++c)
            want[at(2, 1, c)] += 3;

        auto steer = box(EditKind::add, 0, 0, 3, 0, 2, 1, 6); // a vector a head, the same at every position
        steer.scalar = 0.5F;
        steer.tensor = tensor;
        steer.offset = 10;
        steer.head_stride = 20;
        edit.entries.push_back(steer);
        for (int n = 0; n < 3; ++n)
            for (int h = 0; h < heads; ++h)
                for (int c = 1; c < 6; ++c)
                    want[at(n, h, c)] += 0.5 * vectors[static_cast<std::size_t>(10 + h * 20 + c - 1)];

        auto replace = box(EditKind::set, 1, 3, 5, 1, 2, 0, 7); // a whole patch, channels backwards
        replace.tensor = tensor;
        replace.offset = 6;
        replace.pos_stride = 14;
        replace.channel_stride = -1;
        edit.entries.push_back(replace);
        for (int n = 6; n < 8; ++n)
            for (int c = 0; c < width; ++c)
                want[at(n, 1, c)] = vectors[static_cast<std::size_t>(6 + (n - 6) * 14 - c)];

        rig.op(edit);
        rig.capture(value);
        QVERIFY(close(rig.run(device).captures[0].data, want, "edited value"));
    }

    void directions_are_projected_out_and_capped_data() { add_devices(); }
    void directions_are_projected_out_and_capped() {
        QFETCH(QString, device);
        for (const int channels : {1, 7, 33, 129}) {
            OpRig rig({4, 4});
            const auto x = random_floats(static_cast<std::size_t>(8) * channels, 1);
            const auto u = random_floats(static_cast<std::size_t>(channels) + 3, 2);
            const auto value = rig.input(1, channels, x);
            const auto tensor = rig.constant({channels + 3}, u);
            auto out = box(EditKind::project_out, 0, 1, 4, 0, 1, 0, channels);
            auto cap = box(EditKind::cap, 1, 0, 4, 0, 1, 0, channels);
            out.tensor = cap.tensor = tensor;
            out.offset = cap.offset = 3;
            cap.scalar = 0.25F;
            rig.op(run::Edit{value, {out, cap}});
            rig.capture(value);

            auto want = doubles(x);
            double norm = 0;
            for (int c = 0; c < channels; ++c)
                norm += static_cast<double>(u[static_cast<std::size_t>(c) + 3]) *
                        u[static_cast<std::size_t>(c) + 3];
            norm = std::sqrt(norm);
            for (int n = 1; n < 8; ++n) {
                double dot = 0;
                double* row = want.data() + n * channels;
                for (int c = 0; c < channels; ++c)
                    dot += row[c] * u[static_cast<std::size_t>(c) + 3] / norm;
                if (n >= 4) dot = std::max(dot - 0.25, 0.0);
                for (int c = 0; c < channels; ++c)
                    row[c] -= dot * u[static_cast<std::size_t>(c) + 3] / norm;
            }
            const auto got = rig.run(device).captures[0].data;
            // With one channel all is projected out: what is left must be 0 to rounding.
            for (std::size_t i = 0; i < want.size(); ++i)
                QVERIFY(std::abs(got[i] - want[i]) < 2e-6);
            QVERIFY(channels == 1 || close(got, want, "edited value"));
        }
    }

    void a_capture_holds_what_the_value_was_then_data() { add_devices(); }
    void a_capture_holds_what_the_value_was_then() {
        QFETCH(QString, device);
        OpRig rig(rows);
        const auto x = random_floats(8 * heads * width, 1);
        const auto value = rig.input(heads, width, x);
        auto twice = box(EditKind::scale, 0, 0, 3, 0, 2, 0, 7);
        twice.scalar = 2;
        const auto sum = rig.value(heads, width);
        rig.capture(value);
        rig.op(run::Edit{value, {twice}});
        rig.capture(value);
        rig.op(run::Add{value, value, sum});
        rig.capture(value);
        rig.op(run::Edit{value, {twice}});
        rig.capture(sum);
        std::vector<double> once = doubles(x), doubled = once, added;
        for (std::size_t i = 0; i < at(3, 0, 0); ++i)
            doubled[i] *= 2;
        for (const double element : doubled)
            added.push_back(2 * element);
        const auto captures = rig.run(device).captures;
        QVERIFY(close(captures[0].data, once, "before the edit"));
        QVERIFY(close(captures[1].data, doubled, "after the edit"));
        QVERIFY(close(captures[2].data, doubled, "after a reader"));
        QVERIFY(close(captures[3].data, added, "the reader"));
    }

    void pairs_are_edited_by_query_and_key_data() { add_devices(); }
    void pairs_are_edited_by_query_and_key() {
        QFETCH(QString, device);
        OpRig rig(rows);
        const auto x = random_floats(heads * (9 + 25), 1);
        const auto value = rig.input_pairs(heads, x);
        rig.op(run::Edit{
            value, {box(EditKind::mask, 1, 2, 4, 1, 2, 0, 3), box(EditKind::set, 0, 0, 3, 0, 1, 1, 2)}});
        rig.capture(value);
        auto want = doubles(x);
        for (int q = 2; q < 4; ++q)
            for (int k = 0; k < 3; ++k)
                want[static_cast<std::size_t>(heads * 9 + (5 + q) * 5 + k)] =
                    -std::numeric_limits<double>::infinity();
        for (int q = 0; q < 3; ++q)
            want[static_cast<std::size_t>(q * 3 + 1)] = 0;
        QVERIFY(close(rig.run(device).captures[0].data, want, "edited scores"));
    }

    void calibration_moves_attention_from_all_sinks_but_the_first_data() { add_devices(); }
    void calibration_moves_attention_from_all_sinks_but_the_first() {
        QFETCH(QString, device);
        // Rows of 40 and 9 queries, the second behind 30 keys of a cache, and one query behind 21.
        const std::vector<int> queries = {40, 9, 1}, past = {0, 30, 21};
        OpRig rig(queries, past);
        const float beta = 0.4F, threshold = 0.1F;
        const auto numbers = random_floats(heads * (40 * 40 + 9 * 39 + 22), 5);
        std::vector<float> x;
        std::size_t next = 0;
        for (std::size_t r = 0; r < queries.size(); ++r)
            for (int h = 0; h < heads; ++h)
                for (int q = 0; q < queries[r]; ++q) {
                    const int keys = past[r] + queries[r];
                    double sum = 0;
                    std::vector<double> line;
                    for (int k = 0; k < keys; ++k) {
                        // Keys 0, 5 and 11 stand out; head 1 does not look at key 0.
                        const bool sink = (k == 0 && h == 0) || k == 5 || k == 11;
                        const double weight = std::abs(numbers[next++]) + (sink ? 12 : 0);
                        line.push_back(k <= past[r] + q ? weight : 0);
                        sum += line.back();
                    }
                    for (const double weight : line)
                        x.push_back(static_cast<float>(weight / sum));
                }
        const auto value = rig.input_pairs(heads, x);
        run::Edit edit{value, {}};
        for (int r = 0; r < 3; ++r) {
            auto entry =
                box(EditKind::calibrate, r, r == 0 ? 3 : 0, queries[static_cast<std::size_t>(r)], 0, heads, 0,
                    past[static_cast<std::size_t>(r)] + queries[static_cast<std::size_t>(r)]);
            entry.scalar = beta;
            entry.threshold = threshold;
            edit.entries.push_back(entry);
        }
        rig.op(edit);
        rig.capture(value);
        const auto got = rig.run(device).captures[0].data;
        auto want = doubles(x);
        std::size_t start = 0;
        int changed = 0;
        for (std::size_t r = 0; r < queries.size(); ++r)
            for (int h = 0; h < heads; ++h) {
                const int keys = past[r] + queries[r];
                const auto element = [&](int q, int k) {
                    return start + static_cast<std::size_t>(q * keys + k);
                };
                std::vector<int> sinks;
                for (int k = 0; k < keys; ++k) {
                    double sum = 0;
                    int seen = 0;
                    for (int q = 0; q < queries[r]; ++q) {
                        if (k > past[r] + q) continue;
                        sum += x[element(q, k)];
                        ++seen;
                    }
                    if (sum / seen > static_cast<double>(threshold)) sinks.push_back(k);
                }
                QVERIFY(sinks.size() >= 2);
                for (int q = r == 0 ? 3 : 0; q < queries[r]; ++q) {
                    double taken = 0, others = 0, all = 0;
                    for (int k = 0; k < keys; ++k) {
                        const bool sink = std::find(sinks.begin() + 1, sinks.end(), k) != sinks.end();
                        (sink ? taken : others) += x[element(q, k)];
                    }
                    for (int k = 0; k < keys; ++k) {
                        const bool sink = std::find(sinks.begin() + 1, sinks.end(), k) != sinks.end();
                        const double freed = (1 - static_cast<double>(beta)) * taken;
                        want[element(q, k)] *= sink ? static_cast<double>(beta) : 1 + freed / others;
                        all += got[element(q, k)];
                    }
                    changed += taken > 0 ? 1 : 0;
                    QVERIFY2(std::abs(all - 1) < 1e-5, "a calibrated row sums to 1");
                }
                start += static_cast<std::size_t>(queries[r] * keys);
            }
        QVERIFY(changed > 40);
        QVERIFY(close(got, want, "calibrated pattern"));
    }

    void pairs_with_a_past_have_more_keys_than_queries_data() { add_devices(); }
    void pairs_with_a_past_have_more_keys_than_queries() {
        QFETCH(QString, device);
        OpRig rig({2, 3}, {4, 0});
        const auto x = random_floats(heads * (12 + 9), 1);
        const auto value = rig.input_pairs(heads, x);
        auto scale = box(EditKind::scale, 0, 1, 2, 0, 2, 5, 6);
        scale.scalar = 10;
        auto second = box(EditKind::scale, 1, 2, 3, 1, 2, 0, 3);
        second.scalar = -1;
        rig.op(run::Edit{value, {scale, second}});
        rig.capture(value);
        auto want = doubles(x);
        for (int h = 0; h < heads; ++h)
            want[static_cast<std::size_t>((h * 2 + 1) * 6 + 5)] *= 10;
        for (int k = 0; k < 3; ++k)
            want[static_cast<std::size_t>(24 + (3 + 2) * 3 + k)] *= -1;
        QVERIFY(close(rig.run(device).captures[0].data, want, "edited pattern"));
    }
};

QTEST_GUILESS_MAIN(TestOpsEdit)
#include "test_ops_edit.moc"
