#include "views/entropy/branch_tree.h"

#include <QHeaderView>
#include <QSignalBlocker>
#include <QTreeWidgetItemIterator>
#include <map>

namespace vitrine::views {

namespace {

constexpr int branch_role = Qt::UserRole;

std::int64_t id_in(const QTreeWidgetItem& item) { return item.data(0, branch_role).toLongLong(); }

} // namespace

BranchTree::BranchTree(QWidget* parent) : QTreeWidget(parent) {
    setHeaderLabels({tr("Branches"), tr("leaves at")});
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setFrameShape(QFrame::NoFrame);
    setAccessibleName(tr("Branches"));
    setUniformRowHeights(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    header()->setStretchLastSection(false);
    header()->setSectionResizeMode(0, QHeaderView::Stretch);
    header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    connect(this, &QTreeWidget::itemSelectionChanged, this, [this] {
        if (const auto ids = selected(); !ids.empty()) emit chosen(ids);
    });
}

void BranchTree::show_branches(const std::vector<Branch>& branches,
                               const std::vector<std::int64_t>& selected) {
    const QSignalBlocker quiet(this);
    clear();
    std::map<std::int64_t, QTreeWidgetItem*> items;
    for (const Branch& branch : branches) {
        auto* item = new QTreeWidgetItem({branch.text, branch.leaves});
        item->setData(0, branch_role, QVariant::fromValue<qlonglong>(branch.id));
        item->setToolTip(0, branch.tip);
        const auto parent = items.find(branch.parent);
        if (branch.parent != 0 && parent != items.end())
            parent->second->addChild(item);
        else
            insertTopLevelItem(0, item); // newest first
        items[branch.id] = item;
    }
    expandAll();
    for (const std::int64_t id : selected)
        if (const auto found = items.find(id); found != items.end()) {
            found->second->setSelected(true);
            scrollToItem(found->second);
        }
}

std::vector<std::int64_t> BranchTree::selected() const {
    std::vector<std::int64_t> out;
    for (const QTreeWidgetItem* item : selectedItems())
        out.push_back(id_in(*item));
    return out;
}

QTreeWidgetItem* BranchTree::item_of(std::int64_t id) const {
    for (QTreeWidgetItemIterator at(const_cast<BranchTree*>(this)); *at; ++at)
        if (id_in(**at) == id) return *at;
    return nullptr;
}

} // namespace vitrine::views
