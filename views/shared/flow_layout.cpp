#include "views/shared/flow_layout.h"

#include <QWidget>
#include <algorithm>
#include <utility>
#include <vector>

namespace vitrine::views {

FlowLayout::FlowLayout(int horizontal, int vertical) : horizontal_(horizontal), vertical_(vertical) {
    setContentsMargins(0, 0, 0, 0);
}

FlowLayout::~FlowLayout() { qDeleteAll(items_); }

QLayoutItem* FlowLayout::takeAt(int index) {
    return index >= 0 && index < items_.size() ? items_.takeAt(index) : nullptr;
}

QSize FlowLayout::minimumSize() const {
    QSize out;
    for (const QLayoutItem* item : items_)
        if (!item->isEmpty()) out = out.expandedTo(item->minimumSize());
    return out;
}

void FlowLayout::setGeometry(const QRect& rect) {
    QLayout::setGeometry(rect);
    lay_out(rect, true);
}

int FlowLayout::lay_out(const QRect& rect, bool move) const {
    std::vector<std::pair<QLayoutItem*, QRect>> line;
    int x = rect.left(), y = rect.top(), tallest = 0;
    const auto finish = [&] {
        for (auto& [item, place] : line) // in the middle of its line
            if (move) item->setGeometry(place.translated(0, (tallest - place.height()) / 2));
        line.clear();
    };
    for (QLayoutItem* item : items_) {
        if (item->isEmpty()) continue;
        const QSize size = item->sizeHint();
        if (x > rect.left() && x + size.width() > rect.right() + 1) {
            finish();
            x = rect.left();
            y += tallest + vertical_;
            tallest = 0;
        }
        tallest = std::max(tallest, size.height());
        line.emplace_back(item, QRect(QPoint(x, y), size));
        x += size.width() + horizontal_;
    }
    finish();
    return y + tallest - rect.top();
}

} // namespace vitrine::views
