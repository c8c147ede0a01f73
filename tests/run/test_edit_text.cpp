// An edit written as text reads back as the same edit.
#include <QtTest>

#include "core/run/edit_text.h"

using namespace vitrine;

class TestEditText : public QObject {
    Q_OBJECT

private slots:
    void reads_back_data() {
        QTest::addColumn<QString>("text");
        for (const char* text : {"L3H5 zero",
                                 "L3H5 pos=4 mean",
                                 "L0H0 row=0 from row=1",
                                 "blocks.2.hook_mlp_out scale 0.5",
                                 "blocks.*.attn.hook_attn_scores head=1,2 key=0 mask",
                                 "blocks.1.attn.hook_z zero",
                                 "hook_embed pos=2:5 channel=7 add -1.25",
                                 "blocks.0.hook_resid_post pos=-1 set 3",
                                 "blocks.0.hook_resid_post add 2*@/a/b.npy",
                                 "blocks.0.hook_resid_post set @/a/b.npy",
                                 "blocks.0.hook_resid_post project-out @\"/a b/c.npy\"",
                                 "blocks.0.hook_resid_post pos=nonspecial cap 4 @/c.npy",
                                 "L1H2 mean @/p.txt exclude=special",
                                 "L1H2 from @/r.h5:3",
                                 "blocks.*.attn.hook_pattern head=1 calibrate 0.4 0.1",
                                 "blocks.1.attn.hook_v pos=0 mean by=position",
                                 "blocks.*.mlp.hook_post identity",
                                 "blocks.1.attn.hook_pattern head=2 sigmoid",
                                 "blocks.*.hook_mlp_in pos=new parallel",
                                 "L12H10 pos=prompt add 1e-30"})
            QTest::newRow(text) << QString(text);
    }

    void reads_back() {
        QFETCH(QString, text);
        const auto edit = run::parse_edit(text.toStdString());
        QVERIFY(edit.has_value());
        const std::string again = run::to_text(*edit);
        QCOMPARE(QString::fromStdString(again), text);
        QCOMPARE(run::to_json(*run::parse_edit(again)), run::to_json(*edit));
    }
};

QTEST_APPLESS_MAIN(TestEditText)
#include "test_edit_text.moc"
