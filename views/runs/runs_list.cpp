#include "views/runs/runs_list.h"

#include <QMenu>
#include <QPainter>
#include <QStyledItemDelegate>

#include "views/figure/picture.h"

namespace vitrine::views {

namespace {

enum Role { step_role = Qt::UserRole, when_role, status_role, current_role, header_role };

// Two tones and a dot: what was run, when, and whether it is shown now.
class Delegate : public QStyledItemDelegate {
public:
    Delegate(Desk& desk, QObject* parent) : QStyledItemDelegate(parent), desk_(desk) {}

    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const override {
        return {100, index.data(header_role).toBool() ? 24 : 42};
    }

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        const figure::Theme& theme = desk_.theme();
        const QRectF box = option.rect;
        if (index.data(header_role).toBool()) {
            figure::draw_text(*painter, box.adjusted(8, 4, -8, 0), Qt::AlignLeft | Qt::AlignVCenter,
                              index.data().toString(), theme.font(12), theme.muted);
            return;
        }
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const QString mark = index.data(current_role).toString();
        if (!mark.isEmpty() || option.state & QStyle::State_MouseOver)
            painter->fillRect(box, figure::blend(theme.panel, theme.accent, mark.isEmpty() ? 0.07 : 0.14));
        const bool good = index.data(status_role).toString() == QLatin1String("done");
        const double line = 19, left = box.left() + 24, room = box.width() - 32;
        figure::draw_text(*painter, QRectF(box.left() + 4, box.top() + 3, 16, line), Qt::AlignCenter,
                          mark.isEmpty() ? (good ? QStringLiteral("○") : QStringLiteral("×")) : mark,
                          theme.font(12, !mark.isEmpty()),
                          good ? (mark.isEmpty() ? theme.muted : theme.accent) : theme.warning);
        // The end of a prompt is where two of them differ.
        figure::draw_text(*painter, QRectF(left, box.top() + 3, room, line), Qt::AlignLeft | Qt::AlignVCenter,
                          figure::elided(index.data().toString().simplified(), theme.font(12), room),
                          theme.font(12), theme.text);
        figure::draw_text(*painter, QRectF(left, box.top() + 3 + line, room, line - 2),
                          Qt::AlignLeft | Qt::AlignVCenter, index.data(when_role).toString(), theme.font(12),
                          theme.muted);
        painter->restore();
    }

private:
    Desk& desk_;
};

} // namespace

RunsList::RunsList(Desk& desk, QWidget* parent) : QListWidget(parent), desk_(desk) {
    setItemDelegate(new Delegate(desk, this));
    setMouseTracking(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setContextMenuPolicy(Qt::CustomContextMenu);
    setAccessibleName(tr("Runs"));
    connect(this, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) {
        if (const auto step = item->data(step_role).toLongLong()) emit restore_wanted(step);
    });
    connect(this, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) {
        if (const auto step = item->data(step_role).toLongLong()) emit restore_wanted(step);
    });
    connect(this, &QWidget::customContextMenuRequested, this, [this](const QPoint& at) {
        QListWidgetItem* item = itemAt(at);
        const auto step = item ? item->data(step_role).toLongLong() : 0;
        if (step == 0) return;
        QMenu menu(this);
        menu.addAction(tr("Show as A"), [this, step] { emit restore_wanted(step); });
        menu.addAction(tr("Compare as B"), [this, step] { emit compare_wanted(step); });
        menu.addAction(tr("Show in the session"), [this, step] { emit step_wanted(step); });
        menu.exec(viewport()->mapToGlobal(at));
    });
    connect(&desk_, &Desk::run_changed, this, &RunsList::mark_current);
    connect(&desk_, &Desk::theme_changed, viewport(), qOverload<>(&QWidget::update));
}

void RunsList::show_entries(const std::vector<RunEntry>& entries) {
    clear();
    QString group;
    for (const RunEntry& entry : entries) {
        if (entry.group != group) {
            group = entry.group;
            auto* header = new QListWidgetItem(group, this);
            header->setFlags(Qt::NoItemFlags);
            header->setData(header_role, true);
        }
        auto* item = new QListWidgetItem(entry.prompt.isEmpty() ? tr("(no text)") : entry.prompt, this);
        item->setData(step_role, QVariant::fromValue<qlonglong>(entry.step));
        item->setData(when_role, entry.when);
        item->setData(status_role, entry.status);
        item->setToolTip(entry.prompt + QLatin1Char('\n') + entry.details);
    }
    mark_current();
}

void RunsList::mark_current() {
    for (int i = 0; i < count(); ++i) {
        const auto step = item(i)->data(step_role).toLongLong();
        QString mark;
        if (step != 0 && desk_.a() && desk_.a()->step == step)
            mark = desk_.b() ? QStringLiteral("A") : QStringLiteral("●");
        else if (step != 0 && desk_.b() && desk_.b()->step == step)
            mark = QStringLiteral("B");
        item(i)->setData(current_role, mark);
    }
}

} // namespace vitrine::views
