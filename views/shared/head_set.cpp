#include "views/shared/head_set.h"

#include <QStringList>
#include <algorithm>

namespace vitrine::views {

bool HeadSet::contains(int layer, int head) const {
    return std::find(all_.begin(), all_.end(), Head(layer, head)) != all_.end();
}

void HeadSet::toggle(int layer, int head) {
    const auto found = std::find(all_.begin(), all_.end(), Head(layer, head));
    if (found == all_.end())
        all_.emplace_back(layer, head);
    else
        all_.erase(found);
    emit changed();
}

void HeadSet::set_all(std::vector<Head> heads) {
    if (heads == all_) return;
    all_ = std::move(heads);
    emit changed();
}

QString HeadSet::names() const {
    QStringList out;
    for (const auto& [layer, head] : all_)
        out << QStringLiteral("L%1 H%2").arg(layer).arg(head);
    return out.join(QStringLiteral(", "));
}

} // namespace vitrine::views
