#pragma once
#include <QTreeWidget>
#include <cstdint>
#include <vector>

namespace vitrine::views {

/// One generated text in the tree.
struct Branch {
    std::int64_t id = 0;
    std::int64_t parent = 0; ///< what it leaves; 0, or one that is not there: nothing
    QString text;
    QString leaves; ///< where, in words; may be empty
    QString tip;
};

/// What was generated, each text beneath the one that it branches from. Those selected are shown together.
class BranchTree : public QTreeWidget {
    Q_OBJECT

public:
    explicit BranchTree(QWidget* parent = nullptr);

    /// Replaces them: a parent comes before its branches; of the others the last stands on top.
    void show_branches(const std::vector<Branch>& branches, const std::vector<std::int64_t>& selected);
    std::vector<std::int64_t> selected() const;
    /// nullptr: it is not there.
    QTreeWidgetItem* item_of(std::int64_t id) const;

signals:
    void chosen(const std::vector<std::int64_t>& ids); ///< by hand, never empty
};

} // namespace vitrine::views
