// The grammar of --edit and the boxes that come of it.
#include <QtTest>

#include "core/run/resolve.h"
#include "core/run/spec_json.h"

using namespace vitrine;
using namespace vitrine::run;

namespace {

const model::HookInfo z{"blocks.0.attn.hook_z", {"batch", "pos", "head", "d_head"}, {-1, -1, 4, 8}};
const model::HookInfo pattern{
    "blocks.0.attn.hook_pattern", {"batch", "head", "query", "key"}, {-1, 4, -1, -1}};

std::vector<RunRow> rows() {
    return {{{1, 2, 3, 4, 5}, {true, false, false, false, true}}, {{6, 7}, {true, false}}};
}

std::vector<EditEntry> boxes(const std::string& text, const model::HookInfo& hook,
                             SharedTensor tensor = nullptr) {
    auto edit = parse_edit(text);
    if (!edit) qFatal("%s", edit.error().message.c_str());
    edit->tensor = std::move(tensor);
    const std::vector<RunRow> all = rows();
    const RowContext context{&all, 0, 2, {5, 2}, {0, 0}};
    HookEdits edits;
    std::vector<SharedTensor> constants;
    const auto status = resolve_edit({*edit, {hook}}, context, edits, constants);
    if (!status) qFatal("%s", status.error().message.c_str());
    return edits[hook.name];
}

QString box(const EditEntry& e) {
    return QString("row %1 pos %2:%3 head %4:%5 channel %6:%7")
        .arg(e.row)
        .arg(e.pos_begin)
        .arg(e.pos_end)
        .arg(e.head_begin)
        .arg(e.head_end)
        .arg(e.channel_begin)
        .arg(e.channel_end);
}

} // namespace

class TestEdits : public QObject {
    Q_OBJECT
private slots:
    void texts_that_cannot_be_read_data() {
        QTest::addColumn<QString>("text");
        for (const char* text :
             {"", "hook_z", "hook_z nothing", "hook_z scale", "hook_z scale one", "hook_z pos=x zero",
              "hook_z floor=1 zero", "hook_z zero 3", "hook_z set", "hook_z add 2@f.npy", "hook_z cap 1",
              "hook_z from here", "hook_z scale nan", "hook_z \"open zero", "hook_z head=prompt zero",
              "hook_z from \"\"", "hook_z add \"\""})
            QTest::newRow(text) << text;
    }
    void texts_that_cannot_be_read() {
        QFETCH(QString, text);
        const auto edit = parse_edit(text.toStdString());
        QVERIFY(!edit);
        QCOMPARE(edit.error().code, Code::usage);
    }

    void a_head_has_a_short_name() {
        const auto edit = parse_edit("L3H5 scale 0.5");
        QCOMPARE(edit->hook, std::string("blocks.3.attn.hook_z"));
        QCOMPARE(indices(edit->head, 8), std::vector<int>{5});
        QCOMPARE(edit->value, 0.5);
    }

    void vectors_and_quoted_files() {
        const auto edit = parse_edit("hook_z add -2.5*@\"my file.npy\"");
        QCOMPARE(edit->op, EditOp::add_vector);
        QCOMPARE(edit->value, -2.5);
        QCOMPARE(edit->source, std::string("my file.npy"));
        QCOMPARE(parse_edit("hook_z mean @p.txt exclude=special")->exclude_special, true);
        QCOMPARE(parse_edit("hook_z from row=3")->from_row, 3);
    }

    void lists_become_boxes() {
        const auto found = boxes("z row=0 pos=0,1,4 head=1:3 channel=7 zero", z);
        QCOMPARE(found.size(), std::size_t{2});
        QCOMPARE(box(found[0]), QString("row 0 pos 0:2 head 1:3 channel 7:8"));
        QCOMPARE(box(found[1]), QString("row 0 pos 4:5 head 1:3 channel 7:8"));
    }

    void negative_positions_count_from_each_rows_end() {
        const auto found = boxes("z pos=-2 zero", z);
        QCOMPARE(found.size(), std::size_t{2});
        QCOMPARE(box(found[0]), QString("row 0 pos 3:4 head 0:4 channel 0:8"));
        QCOMPARE(box(found[1]), QString("row 1 pos 0:1 head 0:4 channel 0:8"));
    }

    void words_for_positions() {
        const auto found = boxes("z pos=nonspecial zero", z);
        QCOMPARE(found.size(), std::size_t{2});
        QCOMPARE(box(found[0]), QString("row 0 pos 1:4 head 0:4 channel 0:8"));
        QCOMPARE(box(found[1]), QString("row 1 pos 1:2 head 0:4 channel 0:8"));
    }

    void pairs_have_queries_and_keys() {
        const auto found = boxes("p row=0 pos=-1 key=0 head=2 zero", pattern);
        QCOMPARE(found.size(), std::size_t{1});
        QCOMPARE(box(found[0]), QString("row 0 pos 4:5 head 2:3 channel 0:1"));
    }

    void a_tensor_is_read_at_the_boxs_place() {
        const auto full = std::make_shared<const Tensor>(Shape{5, 4, 8});
        const auto found = boxes("z row=0 pos=2 head=3 channel=4:6 set @f.npy", z, full);
        QCOMPARE(found[0].offset, std::int64_t{2 * 32 + 3 * 8 + 4});
        const auto vector = std::make_shared<const Tensor>(Shape{8});
        const auto broadcast = boxes("z row=0 pos=2 head=3 set @f.npy", z, vector);
        QCOMPARE(broadcast[0].offset, std::int64_t{0});
        QCOMPARE(broadcast[0].head_stride, std::int64_t{0});
    }

    void what_matches_nothing_is_an_error_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("on_pattern");
        QTest::newRow("row") << "h row=2 zero" << false;
        QTest::newRow("head") << "h head=4 zero" << false;
        QTest::newRow("one of the heads") << "h head=0,9 zero" << false;
        QTest::newRow("channel") << "h channel=8 zero" << false;
        QTest::newRow("position") << "h pos=5 zero" << false;
        QTest::newRow("key of no pair") << "h key=0 zero" << false;
        QTest::newRow("channel of pairs") << "h channel=0 zero" << true;
        QTest::newRow("key") << "h key=7 zero" << true;
        QTest::newRow("mask elsewhere") << "h mask" << true;
        QTest::newRow("mean of pairs") << "h mean" << true;
    }
    void what_matches_nothing_is_an_error() {
        QFETCH(QString, text);
        QFETCH(bool, on_pattern);
        const auto edit = parse_edit(text.toStdString());
        QVERIFY(edit.has_value());
        const auto status = check_edit({*edit, {on_pattern ? pattern : z}}, rows(), false);
        QVERIFY(!status);
        QCOMPARE(status.error().code, Code::usage);
    }

    void a_tensor_of_the_wrong_shape_names_both() {
        auto edit = *parse_edit("z set @f.npy");
        edit.tensor = std::make_shared<const Tensor>(Shape{3, 3});
        const std::vector<RunRow> all = rows();
        HookEdits edits;
        std::vector<SharedTensor> constants;
        const auto status = resolve_edit({edit, {z}}, {&all, 0, 2, {5, 2}, {0, 0}}, edits, constants);
        QCOMPARE(
            status.error().message,
            std::string("The tensor f.npy has shape [3, 3], but blocks.0.attn.hook_z takes [8], [4, 8] or "
                        "[positions, 4, 8]."));
    }

    void a_spec_survives_json() {
        RunSpec spec;
        spec.rows = rows();
        spec.captures = {"*pattern"};
        spec.edits.push_back(*parse_edit("L0H1 pos=1,-1 add 0.1*@v.npy"));
        spec.edits[0].tensor = std::make_shared<const Tensor>(Shape{2}, std::vector<float>{0.1F, -3e-20F});
        spec.choice = PositionChoice::list;
        spec.positions = {0, -1};
        const auto back = run_spec_from_json(to_json(spec));
        QVERIFY(back.has_value());
        QCOMPARE(dump_json(to_json(*back)), dump_json(to_json(spec)));
        QCOMPARE(back->edits[0].tensor->data, spec.edits[0].tensor->data);
        QVERIFY(!run_spec_from_json(Json{{"rows", 3}}));
    }
};

QTEST_GUILESS_MAIN(TestEdits)
#include "test_edits.moc"
