-- Links from chapter to chapter lead within the page: file.md#part to #part, file.md to that file's first heading. A task of its own for
-- pandoc, since chapters link to each other as files, which is how they are read without it.
local function title(file)
    for line in io.lines(file) do
        local text = line:match("^# (.*)")
        if text then return text:lower():gsub("[^%w%s_-]", ""):gsub("%s", "-") end
    end
end

function Link(link)
    local file, part = link.target:match("^([%w-]+%.md)#?(.*)$")
    if file then link.target = "#" .. (part ~= "" and part or (title(file))) end
    return link
end
