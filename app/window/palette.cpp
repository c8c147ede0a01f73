#include "app/window/palette.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>

namespace vitrine::window {

namespace {

constexpr std::size_t most_rows = 60;
constexpr int hint_role = Qt::UserRole;

// The name to the left, what it is to the right.
class RowDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {100, 26}; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        const bool current = option.state & QStyle::State_Selected;
        if (current) painter->fillRect(option.rect, option.palette.highlight());
        const QRect box = option.rect.adjusted(8, 0, -8, 0);
        const QFontMetrics metrics(option.font);
        const QString hint = index.data(hint_role).toString();
        painter->setFont(option.font);
        painter->setPen(
            option.palette.color(current ? QPalette::HighlightedText : QPalette::PlaceholderText));
        painter->drawText(box, Qt::AlignRight | Qt::AlignVCenter, hint);
        painter->setPen(option.palette.color(current ? QPalette::HighlightedText : QPalette::Text));
        const int room = box.width() - metrics.horizontalAdvance(hint) - 16;
        painter->drawText(box, Qt::AlignLeft | Qt::AlignVCenter,
                          metrics.elidedText(index.data().toString().simplified(), Qt::ElideMiddle, room));
    }
};

} // namespace

int match_rank(const QString& wanted, const QString& text) {
    if (wanted.isEmpty()) return 0;
    const qsizetype whole = text.indexOf(wanted, 0, Qt::CaseInsensitive);
    if (whole >= 0) return static_cast<int>(std::min<qsizetype>(whole, 99));
    qsizetype at = -1;
    for (const QChar letter : wanted) {
        at = text.indexOf(letter, at + 1, Qt::CaseInsensitive);
        if (at < 0) return -1;
    }
    return 100 + static_cast<int>(at);
}

Palette::Palette(QWidget* parent)
    : QDialog(parent), edit_(new QLineEdit(this)), list_(new QListWidget(this)) {
    setWindowTitle(tr("Search or command"));
    setWindowFlags(Qt::Popup | Qt::FramelessWindowHint);
    edit_->setPlaceholderText(tr("A command, a head like L3H5, a token, an analysis, a run"));
    edit_->setClearButtonEnabled(true);
    edit_->installEventFilter(this);
    list_->setItemDelegate(new RowDelegate(this));
    list_->setFrameShape(QFrame::NoFrame);
    list_->setFocusPolicy(Qt::NoFocus);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setObjectName(QStringLiteral("palette"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 8, 8, 8);
    column->addWidget(edit_);
    column->addWidget(list_);
    connect(edit_, &QLineEdit::textChanged, this, &Palette::refill);
    connect(edit_, &QLineEdit::returnPressed, this, &Palette::act);
    connect(list_, &QListWidget::itemClicked, this, &Palette::act);
}

void Palette::open_with(std::function<std::vector<Command>(const QString&)> source, const QString& text) {
    source_ = std::move(source);
    edit_->setText(text);
    refill();
    const QWidget* window = parentWidget();
    const int width = std::min(620, window->width() - 80);
    resize(width, std::min(420, window->height() - 160));
    move(window->mapToGlobal(QPoint((window->width() - width) / 2, 48)));
    show();
    edit_->setFocus();
}

void Palette::refill() {
    const QString wanted = edit_->text().trimmed();
    shown_.clear();
    std::vector<std::pair<int, Command>> ranked;
    for (Command& command : source_(wanted)) {
        const int rank = match_rank(wanted, command.title);
        if (rank >= 0) ranked.emplace_back(rank, std::move(command));
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    list_->clear();
    for (auto& [rank, command] : ranked) {
        if (shown_.size() == most_rows) break;
        auto* item = new QListWidgetItem(list_);
        item->setText(command.title);
        item->setData(hint_role, command.hint);
        shown_.push_back(std::move(command));
    }
    if (shown_.empty()) {
        auto* item = new QListWidgetItem(tr("Nothing is called that."), list_);
        item->setFlags(Qt::NoItemFlags);
    }
    list_->setCurrentRow(0);
}

void Palette::act() {
    const int row = list_->currentRow();
    if (row < 0 || row >= static_cast<int>(shown_.size())) return;
    const auto action = shown_[static_cast<std::size_t>(row)].act;
    hide();
    action();
}

bool Palette::eventFilter(QObject* object, QEvent* event) {
    if (object == edit_ && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int by = key == Qt::Key_Down       ? 1
                       : key == Qt::Key_Up       ? -1
                       : key == Qt::Key_PageDown ? 10
                       : key == Qt::Key_PageUp   ? -10
                                                 : 0;
        if (by != 0 && list_->count() > 0) {
            list_->setCurrentRow(std::clamp(list_->currentRow() + by, 0, list_->count() - 1));
            return true;
        }
    }
    return QDialog::eventFilter(object, event);
}

} // namespace vitrine::window
