// The arena: values that live together never overlap, and dead ones give their room back.
#include <random>

#include <QtTest>

#include "core/run/plan.h"

using namespace vitrine::run;

namespace {

Plan chain(int length) {
    Plan plan;
    plan.batch = {{1, 2, 3}, {0, 3}, {0}};
    for (int i = 0; i <= length; ++i)
        plan.values.push_back({Layout::tokens, 3, 1, 10});
    plan.ops.emplace_back(Embed{0, 1.0F, 0});
    for (int i = 1; i <= length; ++i)
        plan.ops.emplace_back(Linear{0, absent, i - 1, i});
    return plan;
}

} // namespace

class TestArena : public QObject {
    Q_OBJECT
private slots:
    void a_chain_needs_two_places() { QCOMPARE(lay_out(chain(20), 1).elements, std::int64_t{60}); }

    void an_activation_may_lie_where_its_input_lay() {
        Plan plan = chain(1);
        plan.values.push_back({Layout::tokens, 3, 1, 10});
        plan.ops.emplace_back(Activate{vitrine::model::Activation::relu, 1, absent, 2});
        QCOMPARE(lay_out(plan, 1).elements, std::int64_t{60});
        const ArenaLayout layout = lay_out(plan, 1, Activations::in_place);
        QCOMPARE(layout.offset[2], layout.offset[1]);
        // Room for another while the activation lives, none for two.
        plan.values.push_back({Layout::tokens, 3, 1, 10});
        plan.ops.emplace_back(Linear{0, absent, 2, 3});
        const ArenaLayout more = lay_out(plan, 1, Activations::in_place);
        QVERIFY(more.offset[3] != more.offset[2]);
        plan.ops.emplace_back(Capture{1, 0}); // somebody reads the input later
        const ArenaLayout apart = lay_out(plan, 1, Activations::in_place);
        QVERIFY(apart.offset[2] != apart.offset[1] && apart.offset[3] != apart.offset[1]);
    }

    void living_values_never_overlap() {
        std::mt19937 random(7);
        for (int repeat = 0; repeat < 50; ++repeat) {
            Plan plan = chain(30);
            for (auto& value : plan.values)
                value.width = 1 + static_cast<int>(random() % 40);
            for (int extra = 0; extra < 10; ++extra) { // late readers stretch lives
                const auto value = static_cast<ValueId>(random() % plan.values.size());
                plan.ops.emplace_back(Capture{value, 0});
            }
            const ArenaLayout layout = lay_out(plan, 16);
            std::vector<int> first(plan.values.size(), -1);
            std::vector<int> last(plan.values.size(), -1);
            for (int i = 0; i < static_cast<int>(plan.ops.size()); ++i) {
                const Access access = access_of(plan.ops[static_cast<std::size_t>(i)]);
                for (const ValueId id : access.writes) {
                    auto& begin = first[static_cast<std::size_t>(id)];
                    if (begin < 0) begin = i;
                    last[static_cast<std::size_t>(id)] = i;
                }
                for (const ValueId id : access.reads)
                    last[static_cast<std::size_t>(id)] = i;
            }
            for (std::size_t a = 0; a < plan.values.size(); ++a) {
                QCOMPARE(layout.offset[a] % 16, 0);
                QVERIFY(layout.offset[a] + plan.elements(static_cast<ValueId>(a)) <= layout.elements);
                for (std::size_t b = 0; b < a; ++b) {
                    const bool together = first[a] <= last[b] && first[b] <= last[a];
                    const bool apart =
                        layout.offset[a] + plan.elements(static_cast<ValueId>(a)) <= layout.offset[b] ||
                        layout.offset[b] + plan.elements(static_cast<ValueId>(b)) <= layout.offset[a];
                    QVERIFY(!together || apart);
                }
            }
        }
    }

    void packed_tokens_know_their_row_and_position() {
        const Batch batch{{0, 0, 0, 0, 0}, {0, 2, 5}, {7, 0}};
        QCOMPARE(batch.row_of(1), 0);
        QCOMPARE(batch.row_of(2), 1);
        QCOMPARE(batch.position(1), 8);
        QCOMPARE(batch.position(4), 2);
        QCOMPARE(batch.keys(0), 9);
        const Value pattern{Layout::pairs, 0, 4, 0};
        QCOMPARE(pattern.elements(batch), std::int64_t{4 * (2 * 9 + 3 * 3)});
    }
};

QTEST_GUILESS_MAIN(TestArena)
#include "test_arena.moc"
